"""No file of the project knows the machine or the package index that it was written with."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRIVATE = re.compile(
    r"(?<![\w.*~}])/(?:work|root|farm|opt|home)/"  # machine paths
    r"|pypi\.org|pythonhosted\.org|deb\.debian\.org|registry\.npmjs\.org|https?://\S*/simple\b"
    r"|\bfile[:]/|--(?:extra-)?index-url|--find[-]links"
)


def tracked_files() -> list[Path]:
    """Files that are committed or would be by ``git add --all``."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listing.split("\0")[:-1] if (path := ROOT / name).is_file()]


def test_no_machine_path_or_index_address():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "cd /" + "work/main",
        "'/" + "root/.cache'",
        "index-url = https://mirror.example/" + "simple/",
        "name @ file" + ":///tmp/name.whl",
        "pip install --index" + "-url x",
    ],
)
def test_pattern_finds(line):
    assert PRIVATE.search(line)


@pytest.mark.parametrize("line", ["forward/work/x", "~/.cache/scratchnet", "$HOME/work/x"])
def test_pattern_passes(line):
    assert not PRIVATE.search(line)


def test_constraints_are_plain_pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
