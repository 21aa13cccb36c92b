"""``import scratchnet`` needs NumPy alone and is quick."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEASURE = """
import json, sys, time
start = time.perf_counter()
import numpy
numpys = time.perf_counter() - start
before = {name.partition(".")[0] for name in sys.modules}
start = time.perf_counter()
import scratchnet
seconds = time.perf_counter() - start
after = {name.partition(".")[0] for name in sys.modules}
new = after - before - sys.stdlib_module_names
print(json.dumps({"times_numpys": seconds / numpys, "new": sorted(new)}))
"""


def import_in_a_new_process() -> dict:
    output = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return json.loads(output)


def test_import_loads_numpy_alone():
    assert import_in_a_new_process()["new"] == ["scratchnet"]


def test_import_takes_hardly_longer_than_numpys():
    """In a process that nothing disturbs: the first of twenty that tells."""
    times = (import_in_a_new_process()["times_numpys"] for _ in range(20))
    assert any(ratio < 1.5 for ratio in times)
