#!/usr/bin/env bash
# Fails if a C or C++ file is not formatted as .clang-format says.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-22 --dry-run --Werror
