#!/usr/bin/env bash
# Searches schedules for the networks of models/ and puts what it finds into models/records.csv: tune-models.sh DB TIME [WHAT...]
#   DB    a database of rootc-tune, which is made or gone on with    TIME  of each search, as in 90s or 5m
#   WHAT  patterns of "target:mode:batch:network": 'x86-64-v4:*' '*:infer:1:nin*'; default: all that this CPU can run
# Nothing else should run meanwhile; what was ended early goes on when run again.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 1; }
database=$(realpath "$1")
time=$2
shift 2
cd "$(dirname "$0")/.."
bin=build/release/bin
[ -x $bin/rootc-tune ] || { echo "tune-models.sh: nothing is built: run scripts/setup.sh" >&2; exit 1; }
[ $# -gt 0 ] || set -- '*'

# A network, its flags, and the images of a training step.
networks="nin --root=8 32
nin - 32
resnet50 --root=64 8
resnet50 - 8
googlenet --root=8 8
googlenet - 8
mobilenet-v3 --root=8 16
regnet-x-400mf --root=8 16
convnext-tiny --root=8 8
alexnet --groups=conv2=4,conv4=4,conv5=4 16
resnet200 --root=64 4
nin-mixed-basis - 64
nin-low-rank - 64"

search() { # target mode batch network flags
  local name="$1:$2:$3:$4${5#-}"
  for pattern in "${patterns[@]}"; do
    # shellcheck disable=SC2053 # a pattern is one
    if [[ $name == $pattern ]]; then
      local flags=()
      [ "$5" = - ] || flags=("$5")
      echo "$name: $($bin/rootc-tune "models/$4.mlir" "${flags[@]}" --target="$1" --mode="$2" --batch="$3" --threads=2 --budget="$time" \
        --db="$database" 2>/dev/null | sed -n '1,3p' | paste -sd';')"
      return
    fi
  done
}

patterns=("$@")
for target in x86-64-v4 x86-64-v3; do
  grep -q avx512f /proc/cpuinfo || [ $target != x86-64-v4 ] || continue
  while read -r network flags batch; do
    search $target infer 16 "$network" "$flags"
    search $target train "$batch" "$network" "$flags"
    search $target infer 1 "$network" "$flags"
  done <<< "$networks"
done
$bin/rootc-tune --export=models/records.csv --db="$database"
