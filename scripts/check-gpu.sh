#!/usr/bin/env bash
# What a GPU of NVIDIA's makes of CUDA C++ that rootc writes, and what PyTorch takes for the same. Two steps, for a machine that has the
# compilers and one that has the GPU:
#
#   scripts/check-gpu.sh --prepare    builds build/gpu: programs for each network, for the CPU and for sm_80 and sm_90, in fp32, TF32 and bf16
#   scripts/check-gpu.sh              there, needs no network and no compiler: checks, then times, for 8 minutes at most (--seconds=N)
#
# --folder=DIR takes the place of build/gpu, --report=FILE that of docs/performance-gpu-measured.md, where the second writes what it finds;
# --python=PROGRAM is an interpreter that has PyTorch (scripts/race_gpu.py). A row that was not reached, or that has nobody to compare with, says
# that it was not timed.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build/gpu
report=docs/performance-gpu-measured.md
seconds=480
prepare=no
python=python3
for argument in "$@"; do
  case "$argument" in
    --prepare) prepare=yes ;;
    --seconds=*) seconds=${argument#--seconds=} ;;
    --folder=*) folder=${argument#--folder=} ;;
    --report=*) report=${argument#--report=} ;;
    --python=*) python=${argument#--python=} ;;
    *)
      echo "check-gpu.sh: unknown argument '$argument'; use --prepare, --seconds=N, --folder=DIR, --report=FILE or --python=PROGRAM" >&2
      exit 1
      ;;
  esac
done
if ! [[ "$seconds" =~ ^[1-9][0-9]*$ ]]; then
  echo "check-gpu.sh: --seconds=$seconds: it takes whole seconds" >&2
  exit 1
fi

# In the order of their checks and times: NAME=NETWORK[,FLAG...]; layers are 3x3 convolutions of 256 channels on 28x28 maps.
layers=(1 2 4 8 16 32 64)
networks=(resnet-50-root-64=models/resnet50.mlir,--root=64 nin-root-8=models/nin.mlir,--root=8
  resnet-50-root-16=models/resnet50.mlir,--root=16 resnet-50=models/resnet50.mlir)
if [ -n "${ROOTC_GPU_NETWORKS:-}" ]; then # fewer, for a try
  read -ra networks <<<"$ROOTC_GPU_NETWORKS"
  layers=()
fi
# A program's suffix is that of its precision; with it goes what logits, loss and statistics may be off by.
read -ra precisions <<<"${ROOTC_GPU_PRECISIONS:-f32 tf32 bf16}" # fewer, for a try
declare -A suffixes=([f32]="" [tf32]=-tf32 [bf16]=-bf16) tolerances=([f32]="" [tf32]=3e-3 [bf16]=2e-2)

libraries() { # PROGRAM: brings what it needs and the other machine may lack, or have of an older version
  local file
  ldd "$1" | awk '$3 ~ /lib(stdc\+\+|gcc_s|jpeg|png|spdlog|fmt|xxhash)/ { print $3 }' | while read -r file; do
    # A second program finds those of the first in its own rpath.
    [ -e "$folder/lib/${file##*/}" ] || cp -L "$file" "$folder/lib/"
  done
}

build() { # NAME NETWORK FLAG...
  local name=$1 at=$folder/work
  shift
  local rootc=${ROOTC:-build/release/bin/rootc} cxx=${CXX:-g++} nvcc cuda host=host precision cudart
  if ! nvcc=$(ls .venv/lib/*/site-packages/nvidia/cu13/bin/nvcc 2>/dev/null || command -v nvcc); then
    echo "check-gpu.sh: no nvcc in .venv or PATH; install the CUDA toolkit, or the tests' Python packages (scripts/setup.sh)" >&2
    exit 1
  fi
  cuda=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
  for cudart in "$cuda"/lib/libcudart.so.* "$cuda"/lib64/libcudart.so.*; do [ ! -f "$cudart" ] || break; done
  if [ ! -f "$cudart" ]; then
    echo "check-gpu.sh: no libcudart.so in $cuda/lib or lib64; install the CUDA toolkit, or the tests' Python packages (scripts/setup.sh)" >&2
    exit 1
  fi
  [ "$(uname -m)" != x86_64 ] || host=x86-64-v3 # what the other machine has, too
  mkdir -p "$at"
  cp "$1" "$folder/$name.mlir" # what PyTorch reads
  "$rootc" "$@" --emit=cost --format=json -o "$folder/$name.json"
  "$rootc" "$@" -o "$at/net.h"
  "$rootc" "$@" --target=$host -o "$at/net.a"
  local entry
  entry=$(grep -o '\w*_model(void);' "$at/net.h")
  local flags=(-std=c++17 -O2 -s "-Wl,-rpath,\$ORIGIN/lib" -I "$at" "-DMODEL=${entry%(void);}" test/Cuda/check_model.cpp)
  "$cxx" "${flags[@]}" "$at/net.a" -lm -lpthread -o "$folder/$name-cpu"
  cp -L "$cudart" "$folder/lib/"
  libraries "$folder/$name-cpu"
  for precision in "${precisions[@]}"; do
    "$rootc" "$@" "--precision=$precision" -o "$at/net.cu"
    python3 scripts/gpu_bounds.py "$at/net.cu" >"$folder/$name${suffixes[$precision]}.bounds.json"
    "$nvcc" -std=c++17 -gencode=arch=compute_80,code=sm_80 -gencode=arch=compute_90,code=sm_90 -Xfatbin=-compress-all -c "$at/net.cu" -o "$at/net.o"
    "$cxx" -DROOTC_GPU -I "$cuda/include" "${flags[@]}" "$at/net.o" "$cudart" -lpthread -o "$folder/$name${suffixes[$precision]}"
  done
}

if [ "$prepare" = yes ]; then
  rm -rf "$folder"
  mkdir -p "$folder/lib"
  for size in ${layers[@]+"${layers[@]}"}; do
    cat >"$folder/layer.mlir" <<EOF
root.network @layer(%image: !root.image<28x28x256>) classes(256) {
  %1 = root.conv2d "conv" %image filters(256) kernel(3x3) pad(1) groups($((256 / size)))
  %2 = root.global_average_pool %1
  root.output %2
}
EOF
    build "layer-$size" "$folder/layer.mlir"
    rm "$folder/layer.mlir"
  done
  for network in "${networks[@]}"; do
    IFS=, read -ra given <<<"${network#*=}"
    build "${network%%=*}" "${given[@]}"
    if [ "${network%%=*}" = nin-root-8 ]; then # which is trained
      "${ROOTC:-build/release/bin/rootc}" "${given[@]}" --target=host-cuda -o "$folder/nin-root-8.so"
      cp build/release/bin/rootrun "$folder/rootrun"
      libraries "$folder/rootrun"
    fi
  done
  IFS=, read -ra given <<<"${networks[0]#*=}"
  tune=${ROOTC:-build/release/bin/rootc}-tune
  "$tune" "${given[@]}" --mode=infer --target=host-cuda --batch=64 --trials="${ROOTC_GPU_CANDIDATES:-60}" "--bundle=$folder/bundle" \
    "--db=$folder/none.db"
  rm -r "$folder/work"
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

wanted=0.67
train() { # NIN root-8 by the recipe of the CPU's: its accuracy on the test images
  local run said accuracy
  run=$(mktemp -d)
  said=$(within 120 env LD_LIBRARY_PATH="$folder/lib" "$folder/rootrun" train "$folder/nin-root-8.so" --data data/cifar10-quick --device=0 \
    --overwrite -o "$run")
  accuracy=$(grep -o '"test_accuracy": *[0-9.e-]*' "$run/metrics.jsonl" 2>/dev/null | tail -1 | grep -o '[0-9.e-]*$') || accuracy=
  if [[ "$said" =~ ^(failed|not\ timed): ]] || [ -z "$accuracy" ]; then
    echo "${said:-failed: it wrote no metrics}"
  else
    awk -v got="$accuracy" -v wanted=$wanted 'BEGIN { print got, "of the test images: " (got >= wanted ? "right" : "WRONG") }'
  fi
  rm -r "$run"
}

names=()
for size in ${layers[@]+"${layers[@]}"}; do names+=("layer-$size"); done
for network in "${networks[@]}"; do names+=("${network%%=*}"); done
times=$(mktemp) # of rootc, a line each: scripts/race_gpu.py
trap 'rm -f "$times"' EXIT
{
  echo "# GPUs, measured"
  echo
  echo "By \`scripts/check-gpu.sh\` on: $gpu. Milliseconds of a call, arguments in the GPU's memory, the median of several; a training step is"
  echo "forward, backward and SGD."
  echo
  echo "## Checks"
  echo
  echo "Logits and all that a training step of 4 images writes against the library for the CPU: the largest error by the largest magnitude, and"
  echo "the same bits in a second run. 1e-4 at most in fp32. By tensor cores logits, loss and statistics by ${tolerances[tf32]} (TF32) or ${tolerances[bf16]}"
  echo "(bf16) at most; gradients are told, for where a value that was rounded changes sides of a ReLU they are others."
  echo
  for name in "${names[@]}"; do
    recorded=$(within 60 "$folder/$name-cpu" record "$folder/$name.bin")
    for precision in "${precisions[@]}"; do
      program=$name${suffixes[$precision]}
      if [ -n "$recorded" ]; then
        echo "- $program: the CPU's numbers: $recorded"
      else
        echo "- $program: $(within 60 "$folder/$program" check "$folder/$name.bin" ${tolerances[$precision]})"
      fi
    done
    [ "$name" = "${names[0]}" ] || rm -f "$folder/$name.bin"
  done
  if [ -f "$folder/nin-root-8.so" ]; then
    echo "- nin-root-8 trained on data/cifar10-quick, $wanted of whose test images it must know: $(train)"
  fi
  for tool in memcheck racecheck; do
    if command -v compute-sanitizer >/dev/null; then
      echo "- compute-sanitizer $tool, ${names[0]}: $(within 60 compute-sanitizer --tool "$tool" "$folder/${names[0]}" check "$folder/${names[0]}.bin")"
    else
      echo "- compute-sanitizer $tool: not run, it is not installed"
    fi
  done
  rm -f "$folder/${names[0]}.bin"
  echo
  echo "## Times"
  echo
  for name in "${names[@]}"; do
    for precision in "${precisions[@]}"; do
      program=$name${suffixes[$precision]}
      for call in "infer 1" "infer 64" "infer 256" "train 64" "train 256"; do
        read -ra given <<<"$call"
        echo "$program $call $(within 20 "$folder/$program" time "${given[@]}" 0.5)" >>"$times"
      done
    done
  done
  if ! command -v "$python" >/dev/null; then
    echo "PyTorch was not timed: there is no '$python' here. Milliseconds of rootc's calls:"
    echo
    sed 's/^/- /' "$times"
  elif ! "$python" scripts/race_gpu.py --folder "$folder" --ours "$times" --chip "$gpu" --seconds "$(left)" "${names[@]}" 2>&1; then
    echo
    echo "PyTorch has not been raced."
  fi
  if [ -d "$folder/bundle" ]; then # goes on where it was stopped
    echo
    echo "Schedules of ${networks[0]%%=*} at a batch of 64: $(within 120 "$folder/bundle/rootc-time" "$folder/bundle"). Back where the compilers are,"
    echo "\`rootc-tune --take=$folder/bundle --db tuned.db\` makes records of them."
  fi
} | tee "$report"
checks=$((${#names[@]} * ${#precisions[@]}))
[ ! -f "$folder/nin-root-8.so" ] || checks=$((checks + 1))
[ "$(grep '^- ' "$report" | grep -v compute-sanitizer | grep -c ': right$')" = $checks ]
