#!/usr/bin/env bash
# Writes the references that come from the .td files: docs/language.md, docs/ir.md and docs/passes.md.
# With --check, changes nothing and fails if one of them is not current.
set -euo pipefail
cd "$(dirname "$0")/.."

llvm=/usr/lib/llvm-22
generate() {
  "$llvm/bin/mlir-tblgen" "${@:2}" -I . -I "$llvm/include" "$1" | sed -e 's/[[:space:]]*$//' | cat -s
}

folder=docs
if [ "${1:-}" = --check ]; then
  folder=$(mktemp -d)
  trap 'rm -r "$folder"' EXIT
fi
generate dialect/RootNetworkOps.td -gen-dialect-doc -dialect=root > "$folder/language.md"
generate dialect/RootOps.td -gen-dialect-doc -dialect=root > "$folder/ir.md"
generate lib/Transforms/Passes.td -gen-pass-doc > "$folder/passes.md"
if [ "${1:-}" = --check ]; then
  for name in language ir passes; do
    diff -u "docs/$name.md" "$folder/$name.md" || { echo "docs/$name.md is not current: run scripts/generate-docs.sh" >&2; exit 1; }
  done
fi
