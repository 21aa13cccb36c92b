"""Arrows point one way: what may import what, read off the sources."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import scratchnet

ROOT = Path(__file__).parents[2]
LADDER = (
    *("errors", "backend", "text", "gpu", "device", "queued", "equations", "kernels"),
    *("optimizers", "losses", "layers", "captured", "compiled", "training", "model"),
    *("generation", "gradcheck", "experiments", "runs", "stepper", "figures", "cli"),
)
BESIDE_EACH_OTHER = {"optimizers", "losses", "layers"}
"""What stands on one rung: none of them knows another."""


class Import(NamedTuple):
    """One name that one module imports."""

    source: str
    target: str  # "package.module.name" for `from package.module import name`
    line: int
    deferred: bool  # inside a function, or read by type checkers only


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, text: str | None = None) -> Iterator[Import]:
    """Every import in a file, wherever it stands."""
    source = module_name(path)
    package = source if path.name == "__init__.py" else source.rpartition(".")[0]

    def visit(node: ast.AST, deferred: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(source, alias.name, node.lineno, deferred)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(filter(None, [*(parents if node.level else []), node.module]))
            for alias in node.names:
                yield Import(source, f"{base}.{alias.name}", node.lineno, deferred)
        deferred |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        deferred |= isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.iter_child_nodes(node):
            yield from visit(child, deferred)

    yield from visit(ast.parse(path.read_text(encoding="utf-8") if text is None else text), False)


def sources(package: str) -> list[Path]:
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths, f"no sources in {package}/"
    return paths


@functools.cache
def room(dotted: str) -> str:
    """``layers`` for ``scratchnet.layers.lstm``; empty for the package itself and for others."""
    package, _, rest = dotted.partition(".")
    name = rest.partition(".")[0]
    if package != "scratchnet" or not name:
        return ""
    if (ROOT / "scratchnet" / name).is_dir() or (ROOT / "scratchnet" / f"{name}.py").exists():
        return name
    exported = getattr(scratchnet, name, None)  # `from scratchnet import Sequential`
    return room(getattr(exported, "__module__", ""))


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    return [found for path in sources("scratchnet") for found in imports_of(path)]


def test_relative_imports_are_resolved():
    text = "from . import dense\nfrom ..model import Sequential\ndef f():\n import keras_impl.x\n"
    found = imports_of(ROOT / "scratchnet/layers/lstm.py", text)
    assert [(i.target, i.deferred) for i in found] == [
        ("scratchnet.layers.dense", False),
        ("scratchnet.model.Sequential", False),
        ("keras_impl.x", True),
    ]
    (found,) = imports_of(ROOT / "scratchnet/layers/__init__.py", "from .lstm import LSTM")
    assert found.target == "scratchnet.layers.lstm.LSTM"


@pytest.mark.parametrize("rung", LADDER)
def test_no_arrow_points_up(imports, rung):
    """Nothing on a rung reaches a higher rung, itself or through a module beside the ladder."""
    higher = {*LADDER[LADDER.index(rung) + 1 :]}
    if rung in BESIDE_EACH_OTHER:
        higher |= BESIDE_EACH_OTHER - {rung}
    origin = {rung: ""}
    queue = [rung]
    for current in queue:
        for found in imports:
            target = room(found.target)
            if room(found.source) == current and target and target not in origin:
                origin[target] = f"{origin[current]}\n{found.source}:{found.line}: {found.target}"
                queue.append(target)
    wrong = [f"{name} from {rung}:{origin[name]}" for name in LADDER if name in higher & {*origin}]
    assert not wrong, "\n".join(wrong)


def test_keras_impl_is_imported_by_cli_and_gradcheck_inside_functions(imports):
    wrong = [
        f"{found.source}:{found.line}"
        for found in imports
        if found.target.partition(".")[0] == "keras_impl"
        and not (room(found.source) in {"cli", "gradcheck"} and found.deferred)
    ]
    assert not wrong


def test_only_the_backend_and_the_gpu_know_cupy():
    knowing = {
        str(path.relative_to(ROOT))
        for path in sources("scratchnet")
        if "cupy" in path.read_text(encoding="utf-8")
    }
    assert knowing == {
        "scratchnet/backend.py",
        "scratchnet/gpu.py",
        "scratchnet/device_errors.py",  # of what is imported already
    }
