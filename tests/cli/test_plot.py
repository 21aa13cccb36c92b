"""``scratchnet plot``."""

import errno
import inspect
import os

import pytest

from scratchnet import figures
from scratchnet.cli.plot import PLOTS

SIGNATURES = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def test_default_name(scratchnet, tmp_path):
    pytest.importorskip("matplotlib")
    result = scratchnet("plot", "activations")
    assert result.exit_code == 0, result.output
    assert result.stdout == "Drawn: activations.png\n"
    assert (tmp_path / "here/activations.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def quick_figure(monkeypatch):
    """Replace the picture by an empty one, for tests of where it goes."""
    figure = pytest.importorskip("matplotlib.figure").Figure
    monkeypatch.setattr(figures, "activations", figure)


@pytest.mark.usefixtures("quick_figure")
@pytest.mark.parametrize("suffix", SIGNATURES)
def test_formats(scratchnet, tmp_path, suffix):
    path = tmp_path / f"new folder/picture{suffix}"
    result = scratchnet("plot", "activations", "--out", path)
    assert result.exit_code == 0, result.output
    assert path.read_bytes().startswith(SIGNATURES[suffix])


def test_unknown_name_lists_the_names(refused):
    line = refused("plot", "activation")
    assert line.startswith("scratchnet: plot: expected one of activations, boundary, descent, ")
    assert line.endswith(", got 'activation'. Did you mean activations?")


@pytest.mark.parametrize(("wrong", "meant"), [("lstn", "lstm"), ("gradient", "gradients")])
def test_a_name_nearly_right_is_suggested(refused, wrong, meant):
    assert refused("plot", wrong).endswith(f"Did you mean {meant}?")


def test_help_lists_every_picture_on_a_line_of_its_own(scratchnet):
    lines = [line.split() for line in scratchnet("plot", "--help").output.splitlines()]
    for name, what in PLOTS.items():
        assert [name, *what.split()] in lines


def test_every_name_is_a_function_that_needs_no_argument():
    for name in PLOTS:
        for parameter in inspect.signature(getattr(figures, name)).parameters.values():
            assert parameter.default is not parameter.empty


@pytest.mark.parametrize("name", ["picture", "picture.txt"])
def test_unknown_format(refused, name):
    assert refused("plot", "activations", "--out", name) == (
        f"scratchnet: --out: expected a file name that ends in .png, .svg, .pdf, got {name!r}."
    )


@pytest.mark.usefixtures("without_matplotlib")
def test_without_matplotlib(refused):
    assert 'pip install "scratchnet[plots]"' in refused("plot", "activations")


@pytest.mark.usefixtures("quick_figure")
def test_full_disk(refused, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    line = refused("plot", "activations")
    assert line.startswith("scratchnet: activations.png: No space left on device. Make room")


@pytest.mark.usefixtures("quick_figure")
def test_folder_that_cannot_be(refused, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    line = refused("plot", "activations", "--out", blocked / "picture.png")
    assert line.startswith(f"scratchnet: {blocked}")
