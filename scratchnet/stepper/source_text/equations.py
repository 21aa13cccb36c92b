r"""The equation of a line: what ``# (4)`` and ``# (4')`` cite, as LaTeX."""

from __future__ import annotations

import itertools
import re

from scratchnet.stepper.source_text.latex import derived

_CITATION = re.compile(r"#\s*((?:\(\d+'?\)(?:,\s*)?)+)\s*(.*)$")
_LABEL = re.compile(r"\\text\{\((\d+)(?:,\s*([^)]*))?\)\}")
_BLOCK = re.compile(r"^( *)\.\. math::[ ]*(.*)\n((?:\n|\1[ ]+.*(?:\n|$))*)", re.MULTILINE)
_INLINE = re.compile(r":math:`([^`]*)`")
_COMMENT = re.compile(r"#.*?(?::math:`([^`]+)`|\$([^$]+)\$)")
_ASIDE = re.compile(r"(?: \(|,? and\b|[.;]).*$", re.DOTALL)


def mathematics(docstring: str) -> str:
    """Return the mathematics of a docstring: its blocks, or else that of its first sentence."""
    blocks = [_block(match) for match in _BLOCK.finditer(docstring + "\n")]
    if blocks:
        whole = r" \\ ".join(blocks)
        return rf"\begin{{align*}} {whole} \end{{align*}}" if "&" in whole else whole
    return _sentence(docstring.partition("\n\n")[0])


def _sentence(words: str) -> str:
    r"""Return a sentence's formulas with the words behind each: ``y = 1 \text{ where } x > 0``."""
    _, *parts = _INLINE.split(words)
    parts[-1:] = [_ASIDE.sub("", part) for part in parts[-1:]]
    between = [rf"\text{{{_words(part)}}}" if part else "" for part in parts[1::2]]
    return "".join(itertools.chain(*zip(parts[::2], between, strict=True)))


def _words(said: str) -> str:
    """Return what LaTeX takes as plain text."""
    return re.sub(r"[^\w ,:\[\]()-]", "", re.sub(r"\s+", " ", said))


def numbered(docstring: str) -> dict[tuple[int, str], str]:
    r"""Return the numbered equations of a docstring, by number and remark.

    ``&\text{(5, reset after)}`` at a row's end numbers it 5 with a remark.
    """
    found: dict[tuple[int, str], str] = {}
    for match in _BLOCK.finditer(docstring + "\n"):
        for row in re.split(r"\\\\(?:\s|$)", _block(match)):
            label = _LABEL.search(row)
            if label:
                latex = " ".join(_LABEL.sub("", row).replace("&", "").split())
                found[int(label[1]), label[2] or ""] = latex
    return found


def equation_of_lines(
    lines: list[str], first: int, last: int, function: str, doc: str, module_doc: str
) -> dict[int, str]:
    """Return the LaTeX of every line between ``first`` and ``last`` that cites an equation.

    A comment may also say it itself: ``# $a = x W$``.  A line that cites ``(4')`` differentiates
    equation (4): it gets its own statement, where that can be written as LaTeX, and (4) behind it.
    """
    equations = {**numbered(module_doc), **numbered(doc)}
    whole = mathematics(doc)
    answer = {}
    for line in range(first, min(last, len(lines)) + 1):
        citation = _CITATION.search(lines[line - 1])
        if not citation:
            comment = _COMMENT.search(lines[line - 1])
            if comment:
                answer[line] = comment[1] or comment[2]
            continue
        cited = re.findall(r"\((\d+)('?)\)", citation[1])
        parts = [_chosen(equations, int(number), function) for number, _ in cited]
        known = [part for part in parts if part]
        own = ""
        if any(prime for _, prime in cited):
            own = derived(lines[line - 1][: citation.start()], citation[2])
        if own and known:
            answer[line] = rf"{own} \qquad \text{{from }}\; " + r", \quad ".join(known)
        elif own or known:
            answer[line] = own or r", \quad ".join(known)
        elif whole:
            answer[line] = whole
    return answer


def _chosen(equations: dict[tuple[int, str], str], number: int, function: str) -> str:
    """Return an equation; of several, that whose remark the function's name has."""
    remarks = [remark for n, remark in equations if n == number]
    if not remarks:
        return ""
    words = set(function.split("_"))
    said = [remark for remark in remarks if set(remark.split()) <= words]
    remark = (said or remarks)[0]
    label = f"({number}, {remark})" if remark else f"({number})"
    return rf"{equations[number, remark]} \quad \text{{{label}}}"


def _block(match: re.Match[str]) -> str:
    body = " ".join(line.strip() for line in match[3].splitlines())
    return " ".join(f"{match[2]} {body}".split())
