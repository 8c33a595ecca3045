#!/usr/bin/env bash
# What a GPU of NVIDIA's makes of CUDA C++ that rootc writes. Two steps, for a machine that has the compilers and one that has the GPU:
#
#   scripts/check-gpu.sh --prepare    builds build/gpu: a program for each network and what it should compute, for sm_80 and sm_90
#   scripts/check-gpu.sh              there, needs no network and no compiler: checks, then times, for 8 minutes at most (--seconds=N)
#
# The second writes what it finds to docs/performance-gpu-measured.md; a row that it did not reach, or that has nobody to compare with, says
# that it was not timed.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build/gpu
seconds=480
prepare=no
for argument in "$@"; do
  case "$argument" in
    --prepare) prepare=yes ;;
    --seconds=*) seconds=${argument#--seconds=} ;;
    *) echo "check-gpu.sh: unknown argument '$argument'; use --prepare or --seconds=N" >&2; exit 1 ;;
  esac
done

# In the order of their checks and times: NAME=NETWORK[,FLAG...]; layers are 3x3 convolutions of 256 channels on 28x28 maps.
layers=(1 2 4 8 16 32 64)
networks=(nin-root-8=models/nin.mlir,--root=8 resnet-50-root-64=models/resnet50.mlir,--root=64
  resnet-50-root-16=models/resnet50.mlir,--root=16 resnet-50=models/resnet50.mlir)
if [ -n "${ROOTC_GPU_NETWORKS:-}" ]; then # fewer, for a try
  read -ra networks <<<"$ROOTC_GPU_NETWORKS"
  layers=()
fi

build() { # NAME NETWORK FLAG...
  local name=$1 at=$folder/work
  shift
  local rootc=${ROOTC:-build/release/bin/rootc} cxx=${CXX:-g++} nvcc cuda
  nvcc=$(ls .venv/lib/*/site-packages/nvidia/cu13/bin/nvcc 2>/dev/null || command -v nvcc)
  cuda=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
  mkdir -p "$at"
  "$rootc" "$@" -o "$at/net.h"
  "$rootc" "$@" -o "$at/net.a"
  "$rootc" "$@" -o "$at/net.cu"
  local entry
  entry=$(grep -o '\w*_model(void);' "$at/net.h")
  local flags=(-std=c++17 -O2 -I "$at" "-DMODEL=${entry%(void);}" test/Cuda/check_model.cpp)
  "$cxx" "${flags[@]}" "$at/net.a" -lm -lpthread -o "$at/record"
  "$at/record" record "$folder/$name.bin"
  "$nvcc" -std=c++17 -gencode=arch=compute_80,code=sm_80 -gencode=arch=compute_90,code=sm_90 -c "$at/net.cu" -o "$at/net.o"
  "$cxx" -DROOTC_GPU -I "$cuda/include" "${flags[@]}" "$at/net.o" -L"$cuda/lib" -L"$cuda/lib64" -lcudart_static \
    -static-libstdc++ -static-libgcc -ldl -lrt -lpthread -o "$folder/$name"
}

if [ "$prepare" = yes ]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  for size in ${layers[@]+"${layers[@]}"}; do
    cat >"$folder/layer.mlir" <<EOF
root.network @layer(%image: !root.image<28x28x256>) classes(256) {
  %1 = root.conv2d "conv" %image filters(256) kernel(3x3) pad(1) groups($((256 / size)))
  %2 = root.global_average_pool %1
  root.output %2
}
EOF
    build "layer-$size" "$folder/layer.mlir"
  done
  for network in "${networks[@]}"; do
    IFS=, read -ra given <<<"${network#*=}"
    build "${network%%=*}" "${given[@]}"
  done
  rm -r "$folder/work"
  rm -f "$folder/layer.mlir"
  du -sh "$folder"
  exit 0
fi

if [ ! -d "$folder" ]; then
  echo "check-gpu.sh: no $folder; run 'scripts/check-gpu.sh --prepare' where the compilers are, and bring the folder here" >&2
  exit 1
fi
gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1 || true)
if [ -z "$gpu" ]; then
  echo "check-gpu.sh: nvidia-smi finds no GPU here; nothing was checked or timed" >&2
  exit 1
fi
begin=$SECONDS
left() { echo $((seconds - (SECONDS - begin))); }
within() { # SECONDS COMMAND...: what it prints, or why there is nothing
  local limit=$1
  shift
  [ "$(left)" -lt "$limit" ] && limit=$(left)
  if [ "$limit" -lt 2 ]; then
    echo "not timed: the time was up"
    return 0
  fi
  local said code=0
  said=$(timeout "$limit" "$@" 2>&1) || code=$?
  if [ "$code" = 124 ]; then
    echo "not timed: it took longer than $limit s"
  elif [ "$code" != 0 ]; then
    echo "failed: $(tail -1 <<<"$said")"
  else
    tail -1 <<<"$said"
  fi
}

names=()
for size in ${layers[@]+"${layers[@]}"}; do names+=("layer-$size"); done
for network in "${networks[@]}"; do names+=("${network%%=*}"); done
report=docs/performance-gpu-measured.md
{
  echo "# GPUs, measured"
  echo
  echo "By \`scripts/check-gpu.sh\` on: $gpu. Milliseconds of a call, arguments in the GPU's memory, the median of several; a training step is"
  echo "forward, backward and SGD."
  echo
  echo "## Checks"
  echo
  echo "Logits and all that a training step of 4 images writes against the library for the CPU: the largest error by the largest magnitude,"
  echo "1e-4 at most, and the same bits in a second run."
  echo
  for name in "${names[@]}"; do
    echo "- $name: $(within 60 "$folder/$name" check "$folder/$name.bin")"
  done
  for tool in memcheck racecheck; do
    if command -v compute-sanitizer >/dev/null; then
      echo "- compute-sanitizer $tool, ${names[0]}: $(within 60 compute-sanitizer --tool "$tool" "$folder/${names[0]}" check "$folder/${names[0]}.bin")"
    else
      echo "- compute-sanitizer $tool: not run, it is not installed"
    fi
  done
  echo
  echo "## Times"
  echo
  echo "| network | inference, 1 | 64 | 256 | training, 64 | 256 |"
  echo "|---|---|---|---|---|---|"
  for name in "${names[@]}"; do
    row="| $name |"
    for what in "infer 1" "infer 64" "infer 256" "train 64" "train 256"; do
      read -ra given <<<"$what"
      row+=" $(within 20 "$folder/$name" time "${given[@]}" 2) |"
    done
    echo "$row"
  done
  echo
  echo "PyTorch was not timed: there is no program yet that builds these networks with it."
} | tee "$report"
[ "$(grep -c ': right$' "$report")" -ge ${#names[@]} ]
