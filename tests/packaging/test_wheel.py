"""The wheel holds what a user needs, and works with the base dependencies alone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, **options
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    result = run(*build)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        data = archive.read("scratchnet/data/wisconsin.csv")
    assert data == (ROOT / "data/wisconsin.csv").read_bytes()
    assert {name.partition("/")[0] for name in names} == {
        "scratchnet",
        "keras_impl",
        "scratchnet-0.1.0.dist-info",
    }
    carried = {".html", ".py", ".typed"}
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in ("scratchnet", "keras_impl")
        for path in (ROOT / package).rglob("*")
        if path.suffix in carried
    }
    assert {"scratchnet/py.typed", "keras_impl/py.typed"} <= expected <= names


@pytest.mark.slow
def test_base_installation_away_from_the_checkout(wheel, tmp_path):
    """One test, so that the environment without extras is made once."""
    environment = tmp_path / "venv"
    python = environment / "bin/python"
    for step in (
        [sys.executable, "-m", "venv", environment],
        [python, "-m", "pip", "install", "-c", ROOT / "constraints.txt", wheel],
    ):
        result = run(*step)
        assert result.returncode == 0, result.stdout + result.stderr

    hidden = {"PYTHONPATH", "SCRATCHNET_DATA"}
    clean = {name: value for name, value in os.environ.items() if name not in hidden}

    def scratchnet(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run(environment / "bin/scratchnet", *arguments, cwd=tmp_path, env=clean)

    result = scratchnet("list")
    assert result.returncode == 0, result.stderr
    assert "wisconsin" in result.stdout

    result = scratchnet("data", "wisconsin", "--json")
    assert result.returncode == 0, result.stderr
    assert "699" in result.stdout

    result = scratchnet("compare", "wisconsin")
    assert result.returncode == 2, result.stderr
    (line,) = result.stderr.splitlines()
    assert 'pip install "scratchnet[keras]"' in line
