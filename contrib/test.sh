#!/bin/bash
# Tests everything: sets up, checks format and house rules, builds with warnings as errors, runs all tests, a little of the fuzzer,
# the demonstration and the manual's checker. Ends with one line that says what passed; a skipped test is not called passed and fails the run.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$project"
export QMAILREMOTE_STRICT=1
# The crash reporter would keep the pipes of a crashed test open for minutes.
export SWIFT_BACKTRACE=enable=no
log=.build/test.log
# Longer than the tests ever take: one that hangs is a failure, not a wait.
limit=1800

# Fails if there is any input, and shows it. The argument says what is wrong with it.
nothing_in() {
  local found
  found=$(cat)
  [ -z "$found" ] || die "$1:"$'\n'"$found"
}

check_rules() {
  local script
  say "house rules: imports, file lengths, script syntax, C warnings"
  # A process lives for milliseconds; these two libraries alone take longer to load.
  { grep -rnE --include='*.swift' '^[^/]*\bimport +([a-z]+ +)?(Foundation[A-Za-z]*|Dispatch)\b' Sources || true; } |
    nothing_in "imports of Foundation or Dispatch"
  find Sources Tests contrib \( -name '*.swift' -o -name '*.[ch]' -o -name '*.sh' -o -name '*.py' \) -exec wc -l {} + |
    awk '$2 != "total" && $1 > 400' | nothing_in "files over 400 lines"
  for script in contrib/*.sh contrib/bench/counts contrib/bench/run contrib/bench/dns .ci/run Tests/Support/Scripts/*.sh; do
    bash -n "$script"
  done
  find contrib Tests -name '*.py' \
    -exec python3 -c 'import ast, sys; [ast.parse(open(name).read(), name) for name in sys.argv[1:]]' {} +
  for script in contrib/bench/*.c; do gcc -std=gnu11 -O2 -Wall -Wextra -Werror -c -o /dev/null "$script"; done
}

check_manual() {
  local page
  for page in contrib/man/*; do
    say "mandoc -Tlint $page"
    { mandoc -Tlint -W warning "$page" 2>&1 || true; } | nothing_in "complaints about $page"
  done
}

# Shows the test log without what went well: entries (of one or more lines) that begin with ◇ or ✔.
show_log() { awk '/^[^ -~]/ { well = /^(◇|✔)/ } !well' "$log" | tail -n 200; }

run_tests() {
  local total unclear
  say "swift test (the whole output is in $log)"
  if ! timeout --kill-after=30 "$limit" swift test --disable-xctest >"$log" 2>&1; then
    show_log
    die "the tests failed (or took longer than $limit seconds)"
  fi
  grep -aE '^[^ ]+ Test run with' "$log" || true
  total=$(sed -nE 's/.*Test run with ([0-9]+) tests? .*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
  [ "$total" -gt 0 ] || die "no test ran"
  # ➜ a test that was skipped or gave up, ━ one that failed as somebody expected.
  unclear=$(awk '/^➜ Test / || (/^━ Test / && !/^━ Test run / && / passed after /) { n++ } END { print n + 0 }' "$log")
  if [ "$unclear" -ne 0 ]; then
    show_log
    die "INCOMPLETE: $((total - unclear)) of $total tests passed, the others were skipped or failed as expected"
  fi
  tests_passed=$total
}

contrib/setup.sh build test
need_swift

say "swift format lint"
swift format lint --strict -r Sources Tests Package.swift
check_rules
check_manual

mkdir -p .build
binary=$(contrib/build.sh)
export QMAIL_REMOTE_BINARY=$binary
[ -x "$binary" ] || die "contrib/build.sh made no binary"

say "swift build --build-tests"
swift build --build-tests
run_tests

say "contrib/bench/counts"
contrib/bench/counts

say "contrib/fuzz.sh, a short run (its output is in .build/fuzz.log)"
contrib/fuzz.sh 100000 >.build/fuzz.log 2>&1 || { tail -n 60 .build/fuzz.log; die "the fuzzer failed"; }

say "contrib/demo.sh (its output is in .build/demo.log)"
contrib/demo.sh >.build/demo.log 2>&1 || { cat .build/demo.log; die "the demonstration failed"; }

say "passed: $tests_passed tests, none skipped; format, rules, manual pages, release build, counts, fuzzer and demonstration"
