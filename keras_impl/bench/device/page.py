"""The measurement on a GPU in words and figures, for the terminal and for Markdown."""

from __future__ import annotations

from keras_impl.bench.device.measure import FIRST_LOSSES
from keras_impl.bench.device.parity import Parity
from keras_impl.bench.device.results import NOT_MEASURED, DeviceResults, Measured, Row
from keras_impl.bench.device.ways import CUDNN, HOST, SCRATCH, TOLERANCE
from keras_impl.bench.report.table import figures, markdown_table, milliseconds

HEAD = ("work", "ms", "ms by events", "of cuDNN's", "required", "", "share of floor")
MARKS = {"required": "as required", "missed": "MISSED", "": NOT_MEASURED}
HOW = (
    "Before the clock started, every way's loss and gradients from the same weights on the same "
    "batch were held against scratchnet's on the CPU, and were at most {tolerance:.0e} of the "
    "largest gradient apart (TF32: 2e-2); then the losses of the first {losses} steps against each "
    "other. What disagrees is not timed. Then every way ran in one process on the same batches, "
    "already on the device, in turns of whole blocks of steps, with the loss read after every step "
    "where the name does not say otherwise. ms are those of the median block by the host's clock, "
    "the device synchronised before and after; beside it, the same between two of the device's "
    "events. *Of cuDNN's* is ms over those of the way called {cudnn}, whose products are float32 "
    "ones as scratchnet's are; in brackets, the quartiles of the rounds' own ratios. The CPU ran "
    "by itself."
)
FLOOR = (
    "The floor is the larger of two: a step's matrix products at the {products} of a large product "
    "in float32, and the bytes that it has to move, each array once in every pass that makes or "
    "reads it, at the {copies} of a large copy. Its share is the floor over scratchnet's ms."
)
COUNTS = ("work", "products, GFLOP", "bytes, MB", "floor by arithmetic, ms", "floor by bytes, ms")


def rows(results: DeviceResults) -> list[tuple[tuple[str, ...], str, bool]]:
    """Return for each line its cells, its verdict, and whether it is a work's own line.

    Beneath a work's line, which is scratchnet's, there is one for every other way, whoever wins.
    """
    found = []
    for work in results.works:
        found.append((_cells(results, work), work.verdict, True))
        found += [(_way(work, row), "", False) for row in work.rows if row.name != SCRATCH]
    return found


def _cells(results: DeviceResults, work: Measured) -> tuple[str, ...]:
    share = results.share(work)
    return (
        work.title + ("" if work.complete else " (interrupted)"),
        *_times(work, work.row(SCRATCH)),
        f"{work.required:g}",
        MARKS[work.verdict],
        NOT_MEASURED if share is None else f"{share[0]:.0%}, {share[1]}",
    )


def _way(work: Measured, row: Row) -> tuple[str, ...]:
    return (f"  {row.name}", *_times(work, row), "", "", "")


def _times(work: Measured, row: Row) -> tuple[str, str, str]:
    if row.seconds is None:
        return row.reason, "", ""
    events = "" if row.device_seconds is None else milliseconds(row.device_seconds)
    return milliseconds(row.seconds), events, _ratio(work, row.name)


def _ratio(work: Measured, name: str) -> str:
    ratio, spread = work.ratio(name), work.spread(name)
    if ratio is None or spread is None or name == CUDNN:
        return ""
    low, high = spread
    return figures(ratio) + ("" if name == HOST else f" ({figures(low)}–{figures(high)})")


def counts(results: DeviceResults) -> list[tuple[str, ...]]:
    """Return a line for each work: what its floors are made of, and the floors."""
    found = []
    for work in results.works:
        floors = results.floors(work)
        times = [
            milliseconds(floors[name]) if floors else NOT_MEASURED
            for name in ("arithmetic", "bytes")
        ]
        found.append((work.title, figures(work.flops / 1e9), figures(work.bytes / 1e6), *times))
    return found


def machine_line(results: DeviceResults) -> str:
    """Return what it was measured on."""
    at = results.machine
    if not at:
        return "Not measured yet: no figure below is anything but a count."
    driver = f"driver {at['driver']} " if at["driver"] else ""
    cudnn = f", cuDNN {at['cudnn']}" if at["cudnn"] else ""
    versions = ", ".join(f"{name} {version}" for name, version in at["versions"].items())
    commit = f", commit {at['commit']}" if at["commit"] else ""
    return (
        f"Made by `{at['command']}` on {at['device']}, {at['memory'] / 2**30:.0f} GiB, {driver}for "
        f"CUDA {at['driver_cuda']}, CUDA {at['cuda']}{cudnn}; {at['cpu']}, {at['system']}; "
        f"{at['python']}, {versions}{commit}; {at['date']}."
    )


def how(results: DeviceResults) -> list[str]:
    """Return what the columns mean, a paragraph each."""
    products, copies = "rate", "rate"
    if results.product_rate is not None and results.copy_rate is not None:
        products = f"measured {figures(results.product_rate / 1e12)} TFLOP/s"
        copies = f"measured {figures(results.copy_rate / 1e12)} TB/s"
    return [
        HOW.format(tolerance=TOLERANCE, losses=FIRST_LOSSES, cudnn=CUDNN),
        FLOOR.format(products=products, copies=copies),
    ]


def misses(results: DeviceResults) -> list[str]:
    """Return what disagreed, a line each."""
    return [f"{work.name}: {miss}." for work in results.works for miss in work.misses]


def markdown(results: DeviceResults, parity: Parity | None = None) -> str:
    """Return the page of results that is committed."""
    lines = [
        "# The GPU, measured",
        machine_line(results),
        "On any machine with CUDA and CuPy, `benchmarks/gpu_check.sh` makes this page anew.",
        "## Parity with the CPU",
        *([f"The tests marked `gpu`: {NOT_MEASURED}."] if parity is None else parity.said()),
        "## A training step's time",
        markdown_table(HEAD, (cells for cells, _, _ in rows(results))),
        *misses(results),
        *how(results),
        markdown_table(COUNTS, counts(results)),
    ]
    return "\n\n".join(lines) + "\n"
