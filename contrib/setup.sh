#!/bin/bash
# Installs from Debian 12 what building, testing and measuring qmail-remote need, unpacks what can't be installed, and looks for the
# Swift toolchain.
#   contrib/setup.sh [build] [test] [bench]      without arguments: build and test
# apt-get runs only if something is missing, which needs root. The Swift toolchain itself is not installed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What the Swift toolchain itself loads, and the C side of a build: g++ brings the static C++ runtime that is linked in, binutils
# the bfd linker.
toolchain=(binutils g++ gcc libc6-dev libcurl4 libncurses6 libsqlite3-0 libuuid1 libxml2 tzdata zlib1g)
build=("${toolchain[@]}" pkg-config libc-ares-dev libcdb-dev libgsasl-dev libidn2-dev libssl-dev python3)
# Servers to deliver to (postfix: smtpd, smtp-sink, and the client posttls-finger; dovecot; aiosmtpd), what they authenticate with
# (sasl2), certificates (openssl), name servers and what signs their zones (ldnsutils), the manual's checker, and what the tests look
# into processes and make networks with. What the examples of hooks run (curl, perl, python3-dkim), and another implementation of DKIM.
test=(curl dovecot-core dovecot-submissiond iproute2 ldnsutils libmail-dkim-perl libsasl2-modules libsasl2-modules-db libssl-dev mandoc
  nsd openssl perl postfix procps python3-aiosmtpd python3-dkim sasl2-bin strace unbound util-linux valgrind)
# Two more servers can't be installed beside postfix, of which they take the place: they are unpacked into .build/servers and run from
# there. Here is what their programs load, from the Depends of their packages; what else stands there is for installed servers.
exim=(libcrypt1 libdb5.3 libgnutls-dane0 libgnutls30 libidn12 libidn2-0 libnsl2 libpcre2-8-0)
opensmtpd=(libcrypt1 libdb5.3 libevent-2.1-7 libpam0g libssl3 zlib1g)
test+=("${exim[@]}" "${opensmtpd[@]}")
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
  update_lists
  if [[ " $* " == *" postfix "* ]]; then
    # No configuration: nothing listens, now or after a restart.
    echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
  fi
  say "apt-get install $*"
  # --no-remove: a machine that has another mail system keeps it, and this fails instead.
  quietly without_services apt-get install -qy --no-install-recommends --no-remove "$@"
  disable_services "$@"
}

# Brings the packages' lists up to date, once.
update_lists() {
  [ -z "${lists_are_new-}" ] || return 0
  say "apt-get update"
  quietly apt-get update -q
  lists_are_new=yes
}

# What was installed for tests alone isn't started with the machine either.
disable_services() {
  local package
  [ -d /run/systemd/system ] || return 0
  for package in "$@"; do
    case $package in
      dovecot-core) quietly systemctl disable dovecot ;;
      nsd | unbound) quietly systemctl disable "$package" ;;
    esac
  done
}

# Unpacks a package into .build/servers/NAME, unless it is there.
unpack_server() {
  local name=$1 package=$2 folder=$project/.build/servers/$1 work
  [ ! -d "$folder" ] || return 0
  if ! apt-cache show "$package" >/dev/null 2>&1; then
    [ "$(id -u)" -eq 0 ] || die "the package $package isn't in apt's lists, which only root can update"
    update_lists
  fi
  say "unpacking $package into .build/servers/$name"
  mkdir -p "$project/.build/servers"
  work=$(mktemp -d "$project/.build/servers/new.XXXXXX")
  (cd "$work" && quietly apt-get download -q -o APT::Sandbox::User=root "$package")
  mkdir "$work/tree"
  dpkg -x "$work"/*.deb "$work/tree"
  # Nobody gets another's rights by what lies here.
  find "$work/tree" -perm /6000 -exec chmod ug-s {} +
  chmod 755 "$work/tree"
  mv -T "$work/tree" "$folder"
  rm -rf "$work"
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
if [[ " $* " == *" test "* ]]; then
  unpack_server exim exim4-daemon-light
  unpack_server opensmtpd opensmtpd
fi

need_swift
say "$swift_found"
