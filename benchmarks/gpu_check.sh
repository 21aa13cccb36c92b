#!/usr/bin/env bash
# Runs the parity tests and the benchmark of a GPU, and writes one page of results.
#
#     benchmarks/gpu_check.sh [PAGE]        by default benchmarks/results/gpu.md
#
# Needs CUDA, CuPy and pytest; PyTorch, Keras and TensorFlow take part where they are installed.
# PYTHON names the interpreter, python3 by default. Takes less than eight minutes: what is not done
# by then is stopped, and the page says so. The exit status is 0 only if every parity test passed
# and the benchmark was made; 2, and no page, where there is no GPU.
set -euo pipefail

refuse() {
    echo "gpu_check: $1" >&2
    exit 2
}

here=$(dirname -- "${BASH_SOURCE[0]}")
if [[ ${1-} == -h || ${1-} == --help ]]; then
    sed -n '2,/^set /{s/^# \{0,1\}//p}' -- "${BASH_SOURCE[0]}"
    exit
fi
(($# <= 1)) || refuse "expected one PAGE at most, got $# arguments. See --help."
[[ ${1-} != -* ]] || refuse "expected a PAGE, got the option $1. See --help."

page=$(realpath -m -- "${1:-$here/results/gpu.md}")
[[ ! -d $page ]] || refuse "$page: expected a file to write, got a folder. Name a file in it."
folder=$(dirname -- "$page") # or what there is of its path: missing folders are made in the end
until [[ -e $folder ]]; do folder=$(dirname -- "$folder"); done
probe=$(mktemp -p "$folder" .gpu_check.XXXXXX 2>/dev/null) ||
    refuse "$page: expected a folder that can be written into, got $folder. Name another."
rm -f -- "$probe"
cd -- "$here/.."
python=${PYTHON:-python3}
type -P -- "$python" >/dev/null ||
    refuse "PYTHON: expected an interpreter, got $python, which is not there. Name another."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1

"$python" - <<'CHECK'
import platform
import sys

from scratchnet import to_device
from scratchnet.errors import ScratchnetError

try:
    to_device([0.0], "gpu")
except ScratchnetError as error:
    print(f"gpu_check: {error}", file=sys.stderr)
    sys.exit(2)
import cupy

from keras_impl.bench.device import machine

facts = machine.describe(cupy, "benchmarks/gpu_check.sh")
print("Python", platform.python_version())
for name in ("device", "driver", "cuda", "cudnn", "versions", "commit"):
    print(f"{name}: {facts[name]}")
CHECK

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# The project's own pytest settings want plug-ins that may be missing here: they are given anew.
# Test modules that need Keras cannot be collected without it: those of the device are enough.
mapfile -t files < <(grep -rlE --include='test_*.py' 'mark\.gpu' tests | sort)
parity=0
timeout --signal=INT --kill-after=10 240 "$python" -m pytest -q -m gpu -p no:cacheprovider \
    -c /dev/null --rootdir=. --import-mode=importlib -o pythonpath=. \
    -o markers=$'gpu: needs a CUDA device\nslow: slow\nshared_data: needs files' \
    --junit-xml="$work/parity.xml" tests/device "${files[@]}" || parity=$?

timeout --signal=INT --kill-after=10 210 "$python" -m scratchnet bench --device gpu \
    --save "$work" || echo "gpu_check: benchmark: status $?" >&2

status=0
"$python" benchmarks/gpu_results.py "$page" --parity "$work/parity.xml" --parity-status "$parity" \
    --bench "$work/gpu.json" || status=$?
echo "Written: $page"
exit "$status"
