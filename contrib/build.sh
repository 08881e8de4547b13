#!/bin/bash
# Builds qmail-remote for release and prints the path of the binary, alone on standard output.
# QMAILREMOTE_STRICT=1 makes warnings errors.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$project"
need_swift

# The Swift runtime asks for the C++ runtime by name. The linker finds this link before the shared library, which takes 0.4 ms of
# each delivery to load. The same for tinycdb, which is small.
mkdir -p .build/static
for library in libstdc++.a libcdb.a; do
  static=$(gcc -print-file-name="$library")
  [ -e "$static" ] || die "no $library: run contrib/setup.sh"
  ln -sfn "$static" ".build/static/$library"
done
# Sources/CLibs/CMath stands in for libm. Nothing is found in this one, and so no program loads the real one at its start.
ar rc .build/static/libm.a

# Without the run path $ORIGIN: a library that lies beside the binary must not be loaded, and looking for it takes 0.1 ms.
options=(-c release --static-swift-stdlib --disable-local-rpath)
say "swift build ${options[*]}" >&2
folder=$(swift build "${options[@]}" --show-bin-path)
for product in batv cdb-database ctrlenv qmail-remote-explain spawn-filter qmail-remote; do
  swift build "${options[@]}" --product "$product" >&2
  # A linker drops these without a word when sections come to lie where they can't be had (see contrib/relro.ld).
  headers=$(readelf --wide --file-header --segments --dynamic "$folder/$product")
  for wanted in "Position-Independent Executable" GNU_RELRO BIND_NOW; do
    [[ $headers == *"$wanted"* ]] || die "$product is linked without this: $wanted"
  done
done
echo "$folder/qmail-remote"
