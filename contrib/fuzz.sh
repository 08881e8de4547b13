#!/bin/bash
# Fuzzes what reads other people's bytes (DNS answers, replies, routes, messages) under the address sanitizer.
#   contrib/fuzz.sh [RUNS]      without a number: a million; with FUZZ_DNS=1 in the environment, DNS answers only
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

runs=${1:-1000000}
cd "$project"
contrib/setup.sh build
need_swift

say "swift build of Tests/Fuzz"
swift build -c release --package-path Tests/Fuzz --scratch-path .build/fuzz
mkdir -p .build/fuzz-corpus
say "$runs inputs"
# The crash reporter would hold a crashed run for minutes.
SWIFT_BACKTRACE=enable=no .build/fuzz/release/fuzz -runs="$runs" -max_len=600 -artifact_prefix=.build/ -print_final_stats=1 .build/fuzz-corpus
