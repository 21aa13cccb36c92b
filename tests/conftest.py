"""What every test runs under, set before NumPy or TensorFlow is imported."""

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
# Hypothesis writes caches even without a database: they go with pytest's, not beside the sources.
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY", str(Path(__file__).parents[1] / ".pytest_cache/hypothesis")
)
if "PYTEST_XDIST_WORKER" in os.environ:  # one worker a core: more threads would only wait
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "TF_NUM_INTRAOP_THREADS",
    ):
        os.environ.setdefault(name, "1")

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def shared_file() -> Callable[[str], Path]:
    """Path of a file of the folder SCRATCHNET_DATA; the test that asks is skipped without it."""

    def find(name: str) -> Path:
        folder = os.environ.get("SCRATCHNET_DATA")
        if not folder:
            pytest.skip(f"SCRATCHNET_DATA names no folder to take {name} from")
        path = Path(folder) / name
        if not path.exists():
            pytest.skip(f"the folder SCRATCHNET_DATA has no {name}")
        return path

    return find


def pytest_terminal_summary(terminalreporter):
    """Print the tables that tests recorded, from other processes too."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == "table" and report.when == "call":
                    terminalreporter.section(report.nodeid.rpartition("::")[2])
                    terminalreporter.write_line(text)
