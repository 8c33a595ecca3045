#!/usr/bin/env bash
# Sets up, builds and runs the tests: test.sh [--full].
# The first tier is meant to take 30 minutes on two cores, build included (slow ones take up to an hour); --full adds the second.
set -euo pipefail
cd "$(dirname "$0")/.."

level=test
selection=(--label-regex tier1)
for argument in "$@"; do
  case "$argument" in
    --full) level=full; selection=() ;;
    *) echo "test.sh: unknown argument '$argument'; the only one is --full" >&2; exit 1 ;;
  esac
done

scripts/setup.sh --for=$level
scripts/check-style.sh
# Tests that take times or train, in which threads wait for each other, say RUN_SERIAL.
.venv/bin/ctest --test-dir build/release --parallel 2 --output-on-failure --no-tests=error "${selection[@]}"
if [ "$level" = full ]; then
  for preset in asan tsan; do
    scripts/setup.sh --for=full --preset=$preset
    .venv/bin/ctest --preset $preset
  done
  scripts/check-tidy.sh
fi
