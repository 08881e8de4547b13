#!/bin/bash
# Builds qmail-remote and puts it into a mail system's folder of programs, so that a queue that runs never finds half a program.
#   contrib/install.sh [--chains] [--from FOLDER] [--man FOLDER] BIN       BIN: /var/qmail/bin, say
#   contrib/install.sh --undo BIN
# Installs qmail-remote, qmail-remote-explain, cdb-database and batv; with --chains ctrlenv and spawn-filter too, which indimail has of
# its own. --from takes programs that are built already, --man installs the manual pages below a folder (/usr/local/share/man, say).
# What stands in the way is kept as NAME.before, with owner and mode, and --undo puts it back. No configuration is touched.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  sed -n '3,4s/^# *//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

programs=(qmail-remote-explain cdb-database batv)
source=
manual=
undo=
target=
while [ $# -gt 0 ]; do
  case $1 in
    --chains) programs+=(ctrlenv spawn-filter) ;;
    --from | --man)
      [ $# -gt 1 ] || usage
      if [ "$1" = --from ]; then source=$2; else manual=$2; fi
      shift
      ;;
    --undo) undo=yes ;;
    -*) usage ;;
    *)
      [ -z "$target" ] || usage
      target=$1
      ;;
  esac
  shift
done
# Last, so that the queue gets it when all the others are there.
programs+=(qmail-remote)
[ -n "$target" ] || usage
[ -d "$target" ] || die "there is no folder $target"
[ -w "$target" ] || die "nothing can be written to $target: run this as root"

# The names of what this script has installed, a line each.
list=$target/qmail-remote.installed

# Whether a file is a program of this package, of whatever version.
is_ours() { grep -qaF '@(#)qmail-remote in Swift' "$1"; }

put_back() {
  local name
  [ -e "$list" ] || die "$list is missing: nothing was installed here"
  while read -r name; do
    if [ -e "$target/$name.before" ]; then
      mv -f "$target/$name.before" "$target/$name"
      say "$target/$name is what it was before"
    elif [ "$name" = qmail-remote ]; then
      say "$target/qmail-remote stays: there was none before, and a queue without it bounces all mail"
    else
      rm -f "$target/$name"
      say "removed $target/$name"
    fi
  done <"$list"
  rm -f "$list"
}

# A program that doesn't run would have qmail-rspawn bounce everything.
try_out() {
  local report
  report=$("$1" 2>/dev/null </dev/null | tr '\0' '|') || die "$1 does not run here"
  [ "$report" = $'DI (qmail-remote) was invoked improperly. (#5.3.5)\n|' ] || die "$1 does not run here: it says '$report'"
}

install_program() {
  local name=$1 new=$target/.$1.new
  rm -f "$new"
  cp "$source/$name" "$new"
  if [ -e "$target/$name" ]; then
    chown --reference="$target/$name" "$new"
    chmod --reference="$target/$name" "$new"
    if ! is_ours "$target/$name"; then
      # Not by mv: there is a program of that name at every moment.
      cp -p "$target/$name" "$target/$name.before"
      say "kept what was there as $target/$name.before"
    fi
  else
    chmod 755 "$new"
  fi
  mv -f "$new" "$target/$name"
  say "installed $target/$name"
}

install_manual() {
  local page section
  for page in "$contrib"/man/*; do
    section=${page##*.}
    mkdir -p "$manual/man$section"
    install -m 644 "$page" "$manual/man$section/"
  done
  say "installed the manual below $manual"
}

if [ -n "$undo" ]; then
  put_back
  exit
fi
if [ -z "$source" ]; then
  "$contrib/setup.sh" build
  source=$(dirname "$("$contrib/build.sh")")
fi
for name in "${programs[@]}"; do [ -x "$source/$name" ] || die "there is no program $source/$name"; done
try_out "$source/qmail-remote"
for name in "${programs[@]}"; do
  grep -qsx "$name" "$list" || echo "$name" >>"$list"
  install_program "$name"
done
[ -z "$manual" ] || install_manual
