#!/usr/bin/env bash
# Runs clang-tidy over every source file of the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files '*.cpp' | grep -v -e ^test/ -e ^examples/ | xargs -P 2 -n 4 clang-tidy-22 -p build/release --quiet \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations --warnings-as-errors='*'
