#!/usr/bin/env bash
# The main job: sets up, builds, compiles NIN root-8 and trains it on real CIFAR-10 images.
# train-nin.sh [RUN]: the run's folder (default runs/nin-root-8); more arguments go to `rootrun train`.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh --for=train

run=${1:-runs/nin-root-8}
shift || true
mkdir -p "$(dirname "$run")"
echo "train-nin.sh: compiling NIN root-8"
build/release/bin/rootc models/nin.mlir --root=8 -o build/release/nin-root-8.so
echo "train-nin.sh: training it"
resume=()
! compgen -G "$run/checkpoint*.safetensors" > /dev/null || resume=(--resume)
build/release/bin/rootrun train build/release/nin-root-8.so --data data/cifar10-quick \
  --epochs 15 --batch 64 --lr 0.05 --lr-policy one-cycle --momentum 0.9 --weight-decay 5e-4 "${resume[@]}" -o "$run" "$@"
