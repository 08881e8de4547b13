#!/bin/bash
# Shows one delivery: installs what is missing, builds, starts a small SMTP server on loopback, and delivers to it as qmail-rspawn
# would. Everything it makes is in a temporary folder that goes away; the build stays in .build. Status 0 if all of it came out
# as described.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$project"
contrib/setup.sh build
binary=$(contrib/build.sh)

room=$(mktemp -d)
server=
leave() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$room"
}
trap leave EXIT
mkdir "$room/control" "$room/mail"

start_server() {
  # Appending, because the file is emptied before each delivery.
  python3 contrib/demo-server.py "$room/port" "$room/mail" >>"$room/dialogue" 2>&1 &
  server=$!
  for ((i = 0; i < 100; i++)); do
    [ ! -e "$room/port" ] || return 0
    sleep 0.1
  done
  cat "$room/dialogue" >&2
  die "the demonstration's server did not start"
}

# Runs one delivery with the message $room/message, shows what was said, and leaves the reports in $room/reports.
deliver() {
  local status=0
  : >"$room/dialogue"
  say "qmail-remote $* < message"
  CONTROLDIR=$room/control timeout 60 "$binary" "$@" <"$room/message" >"$room/reports" || status=$?
  wait_for_the_end
  echo "The dialogue, as the server saw it:"
  sed 's/^/    /' "$room/dialogue"
  echo "The reports on descriptor 1 (exit status $status), as qmail-rspawn reads them; ␀ is the NUL that ends each:"
  show_reports <"$room/reports"
  [ "$status" -eq 0 ] || die "the exit status is $status, not 0"
}

# The client does not wait for the answer to QUIT, so the server may still be busy with its last lines.
wait_for_the_end() {
  for ((i = 0; i < 50; i++)); do
    ! grep -q '^-- the connection is closed' "$room/dialogue" || return 0
    sleep 0.1
  done
}

show_reports() {
  local report
  while IFS= read -r -d '' report; do
    printf '%s␀\n' "$report" | sed 's/^/    /'
    printf '        %s: %s\n' "${report:0:1}" "$(meaning "${report:0:1}")"
  done
  [ -z "$report" ] || die "the last report does not end in NUL: $report"
}

meaning() {
  case $1 in
    r) echo "this recipient is accepted" ;;
    h) echo "this recipient is refused for good" ;;
    s) echo "this recipient is refused for now" ;;
    K) echo "the message is accepted by the server for every recipient marked r" ;;
    Z) echo "nothing is delivered now; the queue tries again" ;;
    D) echo "nothing is delivered, ever; the sender gets a bounce" ;;
    *) die "a report with the unknown letter $1" ;;
  esac
}

# Compares the reports with the argument, in which printf's escapes stand for themselves.
expect_reports() {
  # shellcheck disable=SC2059
  printf "$1" | cmp - "$room/reports" || die "these are not the reports that were expected"
}

start_server
port=$(cat "$room/port")
echo "client.test" >"$room/control/me"
echo ":127.0.0.1:$port" >"$room/control/smtproutes"
cat >"$room/message" <<'MESSAGE'
From: sender@example.net
To: first@example.test, second@example.test
Subject: a demonstration

Lines end in LF here and in CRLF on the wire.
.This line begins with a dot, which is doubled on the wire.
MESSAGE

say "control files"
(cd "$room/control" && grep -H '' me smtproutes | sed 's/^/    /')

deliver example.test sender@example.net first@example.test second@example.test
expect_reports 'r\0r\0K127.0.0.1 accepted message.\nRemote host said: 250 2.0.0 Stored as message 1\n\0'
echo "The message as the server got it (CR shown as ^M):"
sed 's/\r$/^M/; s/^/    /' "$room/mail/1"
sed 's/$/\r/' "$room/message" | cmp - "$room/mail/1" || die "the message did not arrive as it was sent"

deliver example.test sender@example.net refused@example.test
expect_reports 'h127.0.0.1 does not like recipient.\nRemote host said: 550 5.1.1 Nobody of that name here\n\0DGiving up on 127.0.0.1.\n\0'
[ ! -e "$room/mail/2" ] || die "the server got a message for a refused recipient"

say "one message delivered to two recipients, one recipient refused, as expected"
