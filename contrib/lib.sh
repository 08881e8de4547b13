# Shared by the scripts of contrib/ (bash): where the project is, how they speak, how they find Swift. Sourced, not run.

contrib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(dirname "$contrib")

say() { printf '== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# 6.2 is the tools version that Package.swift asks for.
swift_wanted=6.2

# Prints the folder of `swift`: PATH first, then where swiftly and people put it.
swift_folder() {
  local home candidate
  if command -v swift >/dev/null; then
    dirname "$(command -v swift)"
    return
  fi
  # Under sudo the toolchain is usually in the home of the person, not in root's.
  home=$(getent passwd "${SUDO_USER:-$(id -un)}" | cut -d: -f6)
  for candidate in "$home"/.swiftly/bin/swift "$home"/.local/share/swiftly/bin/swift /usr/local/bin/swift \
    /usr/local/swift*/usr/bin/swift /usr/local/swift*/bin/swift /opt/*/usr/bin/swift /opt/*/bin/swift; do
    if [ -x "$candidate" ]; then
      dirname "$candidate"
      return
    fi
  done
  return 1
}

# Puts Swift into PATH; ends the script with status 2 if there is none that can build the project. Sets swift_found.
need_swift() {
  local folder version
  if ! folder=$(swift_folder); then
    printf '%s: no Swift toolchain found: get Swift %s or later from https://www.swift.org/install/ and put it into PATH\n' \
      "${0##*/}" "$swift_wanted" >&2
    exit 2
  fi
  PATH=$PATH:$folder
  export PATH
  version=$(swift --version 2>&1 | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
  if [ -z "$version" ]; then
    printf '%s: %s/swift does not run:\n' "${0##*/}" "$folder" >&2
    swift --version >&2 || true
    exit 2
  fi
  if [ "$(printf '%s\n' "$swift_wanted" "$version" | sort -V | head -n 1)" != "$swift_wanted" ]; then
    printf '%s: %s/swift is %s, needed is %s or later: https://www.swift.org/install/\n' \
      "${0##*/}" "$folder" "$version" "$swift_wanted" >&2
    exit 2
  fi
  swift_found="Swift $version in $folder"
}
