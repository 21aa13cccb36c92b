"""Write the page of results of a GPU: from what ``gpu_check.sh`` ran, or from nothing.

``python benchmarks/gpu_results.py PAGE [--parity REPORT --parity-status N] [--bench gpu.json]``;
what is not given, or was not written, is not measured yet.  The exit status is 1 if a parity test
failed, if none was run, if the engines disagreed, or if nothing was measured.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from keras_impl.bench.device.page import markdown
from keras_impl.bench.device.parity import read_junit
from keras_impl.bench.device.results import nothing_yet, read
from scratchnet.files import write_whole


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--parity", type=Path)
    parser.add_argument("--parity-status", type=int, default=0, help="pytest's exit status")
    parser.add_argument("--bench", type=Path)
    given = parser.parse_args(words)
    parity = None
    if given.parity and given.parity.exists():
        parity = read_junit(given.parity, given.parity_status)
    results = read(given.bench) if given.bench and given.bench.exists() else nothing_yet()
    write_whole(given.page, markdown(results, parity).encode())
    if not (given.parity or given.bench):
        return 0
    whole = parity is not None and parity.ok and bool(results.machine) and not results.failed
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
