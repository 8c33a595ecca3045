#!/usr/bin/env bash
# Trains NIN and root variants by one recipe and prints their test accuracies: accuracy.sh DATA RUNS [ROOT...]
#   DATA  a folder of CIFAR-10's binary files     RUNS  where the runs are written; those already there go on
#   ROOT  1 (the baseline), 2, 4, 8, ...; default: 8 1.   Environment: EPOCHS=10 SEEDS="0 1"
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 1; }
data=$(realpath "$1")
mkdir -p "$2"
runs=$(realpath "$2")
shift 2
cd "$(dirname "$0")/.."
bin=build/release/bin
[ -x $bin/rootrun ] || { echo "accuracy.sh: nothing is built: run scripts/setup.sh" >&2; exit 1; }

[ $# -gt 0 ] || set -- 8 1
for seed in ${SEEDS:-0 1}; do
  for root in "$@"; do
    name=nin-root-$root
    options=(--root="$root")
    if [ "$root" = 1 ]; then name=nin options=(); fi
    library=$runs/$name.so
    [ -e "$library" ] || $bin/rootc models/nin.mlir "${options[@]}" -o "$library"
    run=$runs/$name-seed-$seed
    $bin/rootrun train "$library" --data "$data" --epochs "${EPOCHS:-10}" --batch 64 --lr 0.05 --lr-policy one-cycle \
      --momentum 0.9 --weight-decay 5e-4 --seed "$seed" --resume -o "$run"
    echo "$name seed $seed: $(tail -n 1 "$run/metrics.jsonl")"
  done
done
