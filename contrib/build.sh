#!/bin/bash
# Builds qmail-remote for release and prints the path of the binary, alone on standard output.
# QMAILREMOTE_STRICT=1 makes warnings errors.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$project"
need_swift

# The Swift runtime asks for the C++ runtime by name. The linker finds this link before the shared library, which takes 0.4 ms of
# each delivery to load.
static=$(gcc -print-file-name=libstdc++.a)
[ -e "$static" ] || die "no libstdc++.a: run contrib/setup.sh"
mkdir -p .build/static
ln -sfn "$static" .build/static/libstdc++.a

# Without the run path $ORIGIN: a library that lies beside the binary must not be loaded, and looking for it takes 0.1 ms.
options=(-c release --static-swift-stdlib --disable-local-rpath)
say "swift build ${options[*]}" >&2
swift build "${options[@]}" --product qmail-remote >&2
echo "$(swift build "${options[@]}" --show-bin-path)/qmail-remote"
