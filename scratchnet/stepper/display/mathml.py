"""LaTeX as MathML for the page, and as plain text for a terminal."""

from __future__ import annotations

import functools
import html
import unicodedata
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

_BESIDE = {"=", "+", "−", "⊙", "⋅", "≥", ">", "<", "←", "∣", "∑", "/"}
"""Operators that get a space on both sides in plain text."""


@functools.cache
def mathml(latex: str) -> str | None:
    r"""Return LaTeX as MathML, or None where the library cannot read it.

    What it says is escaped: the LaTeX may come from a docstring that someone else wrote.  What a
    ``\qquad`` separates becomes one element below the other, so that a narrow page shows both.
    """
    apart = [latex] if r"\begin" in latex or "&" in latex else latex.split(r"\qquad")
    elements = [_one(part) for part in apart]
    return None if None in elements else "".join(filter(None, elements))


def _one(latex: str) -> str | None:
    element = _element(latex)
    if element is None:
        return None
    element.set("display", "block")
    element.set("alttext", plain(latex))
    return ElementTree.tostring(element, encoding="unicode", short_empty_elements=False)


@functools.cache
def plain(latex: str) -> str:
    """Return LaTeX as text, one line for each line of it; as it is where it cannot be read."""
    element = _element(latex)
    if element is None:
        return latex
    lines = _text(element).splitlines()
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())


def _element(latex: str) -> Element | None:
    if not latex.strip():
        return None
    if "&" in latex and r"\begin" not in latex:
        latex = rf"\begin{{align*}} {latex} \end{{align*}}"
    try:
        element = convert_to_element(latex)
    except Exception:  # the library raises many kinds, IndexError among them
        return None
    for part in element.iter():
        part.text = html.unescape(part.text) if part.text else part.text
    for part in element.iter("msup"):
        _lower_prime(part)
    return element


def _lower_prime(element: Element) -> None:
    """Put a prime beside its letter: the sign is raised already, and twice raised it is lost."""
    if element[1].text == "\N{PRIME}":
        element.tag, element[1].tag = "mrow", "mo"
        element[1].attrib.update(lspace="0", rspace="0")


def _text(element: Element) -> str:
    tag, parts = element.tag.rpartition("}")[2], list(element)
    match tag:
        case "mtable":
            return "\n".join(map(_text, parts))
        case "msub" | "munder":
            return _with_index(parts)
        case "msup" | "mover":
            return f"{_text(parts[0])}^{_braced(_text(parts[1]))}"
        case "msubsup" | "munderover":
            return f"{_with_index(parts[:2])}^{_braced(_text(parts[2]))}"
        case "mfrac":
            return f"{_grouped(parts[0])} / {_grouped(parts[1])}"
        case "msqrt":
            return f"√({''.join(map(_text, parts))})"
        case "mspace":
            return "  "
        case "mo":
            sign = (element.text or "").strip()
            return f" {sign} " if sign in _BESIDE else f"{sign} " if sign == "," else sign
        case "mi" | "mn":
            said = element.text or ""
            return unicodedata.normalize("NFKC", said) + (" " if len(said) > 1 else "")
        case "mtext":
            return f" {element.text or ''} "
        case "mtd" | "mtr":
            return _row(parts) + "  "
    return _row(parts)


def _row(parts: Sequence[Element]) -> str:
    return "".join(
        (" " if k and _are_factors(parts[k - 1], part) else "") + _text(part)
        for k, part in enumerate(parts)
    )


def _are_factors(one: Element, other: Element) -> bool:
    """Whether two neighbours are a product, such as x W_x, rather than one name, such as dW_x."""
    indexed = {"msub", "msup", "msubsup"}
    tags = [element.tag.rpartition("}")[2] for element in (one, other)]
    if tags[0] in indexed:
        return tags[1] in {"mi", *indexed}
    base = next(iter(other), other).text or ""
    return tags[0] == "mi" and one.text != "d" and tags[1] in indexed and base.isupper()


def _with_index(parts: Sequence[Element]) -> str:
    return f"{_text(parts[0]).strip()}_{_braced(_text(parts[1]))}"


def _braced(said: str) -> str:
    said = "".join(said.split())
    return said if said.isalnum() else f"({said})"


def _grouped(element: Element) -> str:
    said = _text(element).strip()
    return f"({said})" if " " in said else said
