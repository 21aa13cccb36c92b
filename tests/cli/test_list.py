"""``scratchnet list``."""

import json

from scratchnet.experiments import EXPERIMENTS


def test_table(scratchnet):
    result = scratchnet("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 1 + len(EXPERIMENTS)
    for one, line in zip(EXPERIMENTS.values(), lines[1:], strict=True):
        assert line.startswith(one.name)
        assert one.title in line
        assert ", ".join(one.engines) in line


def test_json(scratchnet):
    entries = json.loads(scratchnet("list", "--json").stdout)
    (wisconsin,) = (entry for entry in entries if entry["name"] == "wisconsin")
    assert wisconsin == {
        "name": "wisconsin",
        "title": EXPERIMENTS["wisconsin"].title,
        "kind": "table",
        "engines": ["scratch", "keras"],
        "data": ["wisconsin"],
        "has_gradient": True,
    }
    assert [entry["name"] for entry in entries] == list(EXPERIMENTS)
