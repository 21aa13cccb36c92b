"""The report as HTML."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from scratchnet.gradcheck.display.page import SCALE, cells, document, fragment
from scratchnet.gradcheck.findings import Finding
from scratchnet.gradcheck.report import HeatMap, Report
from tests.gradcheck.samples import HOSTILE, right, unjudged, wrong

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Texts and attributes, once every tag is known to be closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


@pytest.mark.parametrize("report", [right(), wrong(), unjudged(), Report("nothing")])
def test_fragment_says_what_the_text_says(report):
    page = Page(report._repr_html_())
    assert report.name in page.text
    assert report.answer in page.text
    for row in report.rows:
        assert row.array in page.text
        assert f"{row.judged}/{row.entries}" in page.text
    for finding in report.findings:
        for said in (finding.title, finding.id, finding.where, finding.explanation):
            assert said in page.text
        for said in (finding.equation, finding.evidence):
            assert said in page.text
    for said in (*report.notes, report.smallest, f"Seed {report.seed}", report.replay):
        assert said in page.text


def test_line_and_alternatives():
    page = Page(fragment(wrong()))
    assert "my_lstm.py:42: dh = dy[:, t] # <b>" in page.text
    assert "cell state is lost. (carry-lost)" in page.text


def test_everything_is_escaped():
    report = wrong()
    report.name = report.smallest = report.replay = HOSTILE
    report.notes = [HOSTILE]
    report.findings = [Finding("stale", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)]
    for page in (fragment(report), document([report], HOSTILE)):
        assert "script" not in {tag for tag, _ in Page(page).tags}
        assert HOSTILE not in page
    quotes = Report('"><img src=x>', wrong().rows, heat_map=HeatMap(('"><img>',), np.ones((1, 1))))
    assert "img" not in {tag for tag, _ in Page(fragment(quotes)).tags}


def test_page_is_self_contained():
    page = document([wrong(), right()], "verify")
    assert not re.search(r"https?:|<link|<script|url\(|@import|src=", page)
    tags = dict(Page(page).tags)
    assert "color-scheme: light dark" in tags["html"]["style"]
    assert tags["html"]["lang"] == "en"


def test_fragment_colours_ink_wherever_it_colours_paper():
    """Around that, ink and paper are the notebook's, whatever its theme."""
    for _, attributes in Page(fragment(wrong())).tags:
        style = attributes.get("style", "")
        paper = re.search(r"background: #\w+", style)
        ink = re.search(r"(?<![\w-])color: #\w+", style)
        assert bool(paper) == bool(ink), style


def test_heat_map_has_names_and_numbers():
    page = Page(fragment(wrong()))
    titles = [attributes["title"] for _, attributes in page.tags if "title" in attributes]
    assert titles == [
        "f, step 0: 0",
        "f, step 1: 3e-16",
        "f, step 2: 2e-01",
        f"{HOSTILE}, step 0: nan",
        f"{HOSTILE}, step 1: 1e-07",
        f"{HOSTILE}, step 2: inf",
    ]
    labels = [attributes["aria-label"] for _, attributes in page.tags if "aria-label" in attributes]
    assert labels[:2] == ["Gradients of MyLSTM", "Error over time and gate"]
    scopes = [attributes["scope"] for tag, attributes in page.tags if tag == "th"]
    assert {"row", "col"} == set(scopes)
    assert "1e-16 1e-12 1e-08 1e-04 1" in " ".join(page.texts).replace("\n", "")


def test_heat_map_is_left_out_where_there_is_none():
    assert "Error over time" not in fragment(right())


def luminance(colour: str) -> float:
    """As WCAG 2 defines it; written out again so that the page's is not its own judge."""
    shares = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_numbers_are_readable_on_every_colour():
    values = np.array([[0, np.nan, np.inf, *10.0 ** np.linspace(-18, 2, 400)]])
    for one in cells(HeatMap(("f",), values))[0]:
        low, high = sorted((luminance(one.ink), luminance(one.paper)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, one


def test_colours_darken_with_the_logarithm_of_the_error():
    values = 10.0 ** np.linspace(-16, 0, 33)[None]
    papers = [one.paper for one in cells(HeatMap(("f",), values))[0]]
    assert papers[::8] == list(SCALE)
    brightness = [luminance(paper) for paper in papers]
    assert brightness == sorted(brightness, reverse=True)
    ends = [one.paper for one in cells(HeatMap(("f",), np.array([[0, 1e-30, 7, np.inf]])))[0]]
    assert ends == [SCALE[0], SCALE[0], SCALE[-1], SCALE[-1]]


@pytest.mark.parametrize("verdict", [right(), wrong(), unjudged()])
def test_verdict_is_readable(verdict):
    found = re.findall(r"background: (#\w{6}); color: (#\w{6}); border-radius", fragment(verdict))
    assert found
    for paper, ink in found:
        low, high = sorted((luminance(paper), luminance(ink)))
        assert (high + 0.05) / (low + 0.05) >= 4.5
