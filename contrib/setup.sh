#!/bin/bash
# Installs from Debian 12 what building, testing and measuring qmail-remote need, and looks for the Swift toolchain.
#   contrib/setup.sh [build] [test] [bench]      without arguments: build and test
# apt-get runs only if something is missing, which needs root. The Swift toolchain itself is not installed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What the Swift toolchain itself loads, and the C side of a build: g++ brings the static C++ runtime that is linked in, binutils
# the bfd linker.
toolchain=(binutils g++ gcc libc6-dev libcurl4 libncurses6 libsqlite3-0 libuuid1 libxml2 tzdata zlib1g)
build=("${toolchain[@]}" pkg-config libc-ares-dev libcdb-dev libgsasl-dev libidn2-dev libssl-dev python3)
# Servers to deliver to (postfix: smtpd, smtp-sink, and the client posttls-finger; aiosmtpd), what they authenticate with (sasl2),
# certificates (openssl), name servers and what signs their zones (ldnsutils), the manual's checker, and what the tests look into
# processes and make networks with.
test=(iproute2 ldnsutils libsasl2-modules libsasl2-modules-db libssl-dev mandoc nsd openssl postfix procps python3-aiosmtpd sasl2-bin
  strace unbound util-linux valgrind)
bench=(iproute2 libssl-dev msmtp openssl postfix procps strace util-linux)

# Lists the packages of its arguments that are not installed.
missing() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# Runs a command while no package may start a service: postfix is here to be started by the tests, in folders of their own.
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  # A signal must not leave a machine behind that starts no services.
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  "$@" || status=$?
  rm -f "$policy"
  trap - EXIT
  return "$status"
}

# Runs a command whose output nobody wants to see unless it fails.
quietly() {
  local output
  output=$("$@" 2>&1) || {
    printf '%s\n' "$output" >&2
    die "failed: $*"
  }
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  say "apt-get update"
  quietly apt-get update -q
  if [[ " $* " == *" postfix "* ]]; then
    # No configuration: nothing listens, now or after a restart.
    echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
  fi
  say "apt-get install $*"
  # --no-remove: a machine that has another mail system keeps it, and this fails instead.
  quietly without_services apt-get install -qy --no-install-recommends --no-remove "$@"
}

[ $# -gt 0 ] || set -- build test
wanted=()
for group in "$@"; do
  case $group in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    *) die "unknown group '$group': build, test or bench" ;;
  esac
done

command -v dpkg-query >/dev/null || die "this is not Debian: install what $contrib/setup.sh lists, and see README.md"
if ! grep -qs '^VERSION_ID="12"' /etc/os-release; then
  say "not Debian 12, which this is written for; going on"
fi

mapfile -t absent < <(missing "${wanted[@]}" | sort -u)
if [ ${#absent[@]} -eq 0 ]; then
  say "Debian packages for $*: all there"
elif [ "$(id -u)" -ne 0 ]; then
  die "missing packages, which only root can install: ${absent[*]}"
else
  install_packages "${absent[@]}"
fi

need_swift
say "$swift_found"
