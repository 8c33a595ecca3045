#!/usr/bin/env bash
# Runs clang-tidy over every source file of the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
# That build compiles several sources as one; here each has its own command, with the headers generated there.
.venv/bin/cmake --preset release -B build/tidy -DCMAKE_UNITY_BUILD=OFF >/dev/null
sed -i 's|/build/tidy|/build/release|g' build/tidy/compile_commands.json
git ls-files '*.cpp' | grep -v -e ^test/ -e ^examples/ | xargs -P 2 -n 4 clang-tidy-22 -p build/tidy --quiet \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations --extra-arg=-Wno-ignored-gch --warnings-as-errors='*'
