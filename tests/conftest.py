"""What every test runs under, set before NumPy or TensorFlow is imported."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


def pytest_addoption(parser):
    """Let the project's settings be read where a plug-in that one of them is for is missing."""
    if importlib.util.find_spec("pytest_timeout") is None:
        parser.addini("timeout", "Seconds a test may take; nobody watches.")


def pytest_ignore_collect(collection_path, config):
    """With ``-m gpu`` import no other tests: where there is a GPU there may be no Keras."""
    if config.option.markexpr != "gpu" or not collection_path.match("test_*.py"):
        return None
    of_device = collection_path.parent == Path(__file__).parent / "device"
    return None if of_device or "mark.gpu" in collection_path.read_text("utf-8") else True


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


@pytest.fixture
def strict_cupy() -> Iterator[Any]:
    """The strict array where ``import cupy`` finds it: a device for machines without one."""
    from tests.strict_array.installed import installed

    with installed() as namespace:
        yield namespace


def pytest_terminal_summary(terminalreporter):
    """Print the tables that tests recorded, from other processes too."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == "table" and report.when == "call":
                    terminalreporter.section(report.nodeid.rpartition("::")[2])
                    terminalreporter.write_line(text)
