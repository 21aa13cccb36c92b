"""``keras_impl serve RUN``: a trained run as a service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LIMITS = "Limits"


def serve(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train wrote.")],
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 is all of this machine's network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    max_concurrency: Annotated[
        int, typer.Option(min=1, help="Requests computed at a time.", rich_help_panel=LIMITS)
    ] = 4,
    max_waiting: Annotated[
        int,
        typer.Option(min=0, help="Requests that wait; then 429.", rich_help_panel=LIMITS),
    ] = 16,
    max_body: Annotated[
        int, typer.Option(min=1, help="Bytes of a request.", rich_help_panel=LIMITS)
    ] = 2**20,
    max_rows: Annotated[
        int, typer.Option(min=1, help="Rows, or texts, of a request.", rich_help_panel=LIMITS)
    ] = 1000,
    max_text: Annotated[
        int, typer.Option(min=1, help="Characters of a text.", rich_help_panel=LIMITS)
    ] = 20_000,
    max_length: Annotated[
        int, typer.Option(min=1, help="Characters, or words, to write.", rich_help_panel=LIMITS)
    ] = 10_000,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds of a request's work.", rich_help_panel=LIMITS)
    ] = 30.0,
    access_log: Annotated[
        bool, typer.Option(help="Write a line for each request to stdout.")
    ] = True,
) -> None:
    """Answer over HTTP: POST /predict for tables and reviews, POST /generate for texts.

    GET / says what is served, /docs shows how to ask, /health and /ready are for whoever watches.
    Ctrl-C, or SIGTERM, stops it.
    """
    import importlib.util

    from keras_impl.cli.listening import listen
    from scratchnet import runs
    from scratchnet.cli import console
    from scratchnet.cli.problem import require_keras_installed
    from scratchnet.cli.quiet import import_tensorflow
    from scratchnet.cli.visible import visible
    from scratchnet.errors import MissingExtraError

    require_keras_installed()
    if not all(importlib.util.find_spec(module) for module in ("fastapi", "uvicorn")):
        raise MissingExtraError('FastAPI is not installed: pip install "scratchnet[serve]"')
    runs.read(run)
    with listen(host, port) as bound:
        import_tensorflow()
        from keras_impl import serving

        limits = serving.Limits(
            body=max_body,
            rows=max_rows,
            text=max_text,
            length=max_length,
            concurrency=max_concurrency,
            waiting=max_waiting,
            seconds=timeout,
        )
        served = serving.load(run)

        def started() -> None:
            name, number = bound.getsockname()[:2]
            address = f"http://{f'[{name}]' if ':' in name else name}:{number}"
            said = f"{visible(str(run))}: POST {address}{served.path}, how: {address}/docs"
            console.progress().print(said, markup=False, soft_wrap=True)

        serving.serve(serving.make_app(served, limits), bound, limits, started, access_log)
