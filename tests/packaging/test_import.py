"""``import scratchnet`` needs NumPy alone and is quick."""

import json
import os
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


def import_in_a_new_process(compiled: Path) -> dict:
    """What importing cost, with bytecode kept in the folder `compiled`, as it is for any user."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(compiled)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    output = subprocess.run(
        [sys.executable, "-c", MEASURE],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(output)


def test_import_loads_numpy_alone(tmp_path):
    assert import_in_a_new_process(tmp_path)["new"] == ["scratchnet"]


def test_import_takes_hardly_longer_than_numpys(tmp_path):
    """In a process that nothing disturbs: the first of twenty that tells."""
    import_in_a_new_process(tmp_path)
    ratios = []
    while len(ratios) < 20 and min(ratios, default=2) >= 1.5:
        ratios.append(import_in_a_new_process(tmp_path)["times_numpys"])
    assert min(ratios) < 1.5, ratios
