"""Pages made from templates: everything that goes in is escaped, and nothing may be missing."""

from __future__ import annotations

import functools

import jinja2


@functools.cache
def templates(package: str) -> jinja2.Environment:
    """Return the templates in a package's folder ``templates``."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
