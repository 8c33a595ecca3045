#!/usr/bin/env bash
# Installs what is missing and builds: setup.sh [--for=train|build|test|full] [--preset=NAME].
# train is rootc and rootrun alone; build, the default, all programs.
# What is there already is left alone: a second call only rebuilds what changed.
set -euo pipefail
cd "$(dirname "$0")/.."

level=build
preset=release
for argument in "$@"; do
  case "$argument" in
    --for=train | --for=build | --for=test | --for=full) level=${argument#--for=} ;;
    --preset=*) preset=${argument#--preset=} ;;
    *) echo "setup.sh: unknown argument '$argument'; use --for=train|build|test|full or --preset=NAME" >&2; exit 1 ;;
  esac
done
case "$level" in
  train | build) levels=build ;;
  test) levels='build|test' ;;
  full) levels='build|test|full' ;;
esac

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else echo "setup.sh: run this once as root, or install sudo: it has to install $*" >&2; exit 1
  fi
}

missing=()
for package in $(grep -E "^($levels): " scripts/packages.txt | cut -d: -f2); do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "setup.sh: installing ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

# The virtual environment is this checkout's own; a stamp holds what was asked for.
[ -x .venv/bin/python ] || /usr/bin/python3 -m venv .venv
for part in build test; do
  [[ "$levels" =~ $part ]] || continue
  list=scripts/requirements-$part.txt
  if ! cmp -s "$list" ".venv/.installed-$part"; then
    .venv/bin/python -m pip install -q --disable-pip-version-check -r "$list"
    cp "$list" ".venv/.installed-$part"
  fi
done

# New packages may be what CMake looks for.
[ -f "build/$preset/build.ninja" ] && [ ${#missing[@]} = 0 ] || .venv/bin/cmake --preset "$preset"
# Who only compiles and trains need not wait for the rest.
case "$level" in
  train) what="rootc and rootrun" targets=(--target rootc rootrun) ;;
  build) what="the programs" targets=(--target tools/all runtime/all command-files) ;;
  *) what="the programs and the tests" targets=() ;;
esac
echo "setup.sh: building $what"
.venv/bin/cmake --build "build/$preset" "${targets[@]}"
