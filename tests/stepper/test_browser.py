"""The page in a real browser: Debian's chromium, or Chrome."""

import random
import shutil
import statistics
from pathlib import Path

import numpy as np
import pytest

from scratchnet import step
from scratchnet.stepper.cases import systems
from scratchnet.stepper.display.page import render

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
pytestmark = pytest.mark.slow

LIMIT_BYTES = 5 * 2**20
LIMIT_MS = 100


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def recordings():
    return {name: case.record() for name, case in systems.cases().items()}


@pytest.fixture
def shown(browser, folder, recordings):
    """Return a function that opens a system's page; afterwards nothing was complained of."""
    complaints, requests, contexts = [], [], []

    def show(name, anchor="", scheme="light", width=1366, height=768):
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_text(render(recordings[name]), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri() + anchor)
        return page

    yield show
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(
        url.startswith("file:") and url.partition("#")[0].endswith(".html") for url in requests
    )


def frame_of(page):
    return int(page.evaluate("document.getElementById('seek').value"))


def line_of(page):
    return int(page.text_content("#lines [aria-current=step] i"))


def exact_values(page, name):
    """Return the numbers that the cells of an array say on hover and focus."""
    said = page.eval_on_selector_all(
        f'.array[data-name="{name}"] td[data-tip]', "cells => cells.map(cell => cell.dataset.tip)"
    )
    if not said:
        said = [page.text_content(f'.array[data-name="{name}"] .number')]
    return [float(one.split("\n")[-1].replace("−", "-")) for one in said]


@pytest.mark.parametrize("name", tuple(systems.cases()))
def test_from_the_first_line_to_the_last_and_back(shown, recordings, name):
    page, last = shown(name), len(recordings[name]) - 1
    assert frame_of(page) == 0
    for key, expected in (("End", last), ("Home", 0)):
        page.keyboard.press(key)
        assert frame_of(page) == expected
    seen = page.evaluate(
        """(keys) => keys.map((key) => {
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
            return Number(document.getElementById("seek").value);
        })""",
        ["ArrowRight"] * (last + 2) + ["ArrowLeft"] * (last + 2),
    )
    assert seen == [*range(1, last + 1), last, last, *range(last - 1, -1, -1), 0, 0]


@pytest.mark.parametrize("name", tuple(systems.cases()))
def test_lines_and_values_are_the_recordings(shown, recordings, name):
    page, recording = shown(name), recordings[name]
    for i in random.Random(name).sample(range(len(recording)), min(12, len(recording))):
        page.evaluate("hash => location.hash = hash", f"#frame={i}")
        page.wait_for_function("i => Number(document.getElementById('seek').value) === i", arg=i)
        frame = recording.frames[i]
        assert line_of(page) == frame.line
        function = recording.functions[frame.function].name
        assert page.text_content("#calls b") == function
        text = page.text_content("#lines [aria-current=step] span")
        assert text.strip() == recording.text(frame)
        for variable in {*frame.changed, *frame.read} & frame.locals.keys():
            value = recording.values[frame.locals[variable]]
            assert value.array.size <= 400  # all of it is shown
            selector = variable.replace('"', '\\"')
            np.testing.assert_array_equal(
                exact_values(page, selector), value.array.astype(float).ravel(), err_msg=variable
            )


def test_keys(shown, recordings):
    recording = recordings["lstm"]
    start = recording.at(function="lstm_step", t=2, event="line")[1].i
    page = shown("lstm", f"#frame={start}")

    page.keyboard.press("ArrowDown")  # over the calls of gate_product or split
    over = frame_of(page)
    assert over > start
    assert recording.frames[over].call == recording.frames[start].call
    page.keyboard.press("ArrowUp")
    assert recording.frames[frame_of(page)].depth < recording.frames[over].depth
    page.keyboard.press("ArrowLeft")
    before = frame_of(page)
    page.select_option("#speed", "60")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    page.wait_for_function(
        "from => Number(document.getElementById('seek').value) > from + 3", arg=before
    )
    page.keyboard.press(" ")
    stopped = frame_of(page)
    page.wait_for_timeout(200)
    assert frame_of(page) == stopped


def test_everything_by_tab_and_enter(shown):
    page = shown("softmax")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.dataset.go || e.id || (e.closest('.heat') && 'cell') || '')"
                "(document.activeElement)"
            )
        )
    wanted = {"theme", "lines", "equation", "values", "seek", "into", "over", "last", "play"}
    assert wanted <= reached
    assert {"speed", "equations", "number", "link", "copy"} <= reached


def test_arrow_keys_in_an_array_move_among_its_cells(shown, recordings):
    frame = next(f for f in recordings["lstm"].frames if "a" in f.changed)
    page = shown("lstm", f"#frame={frame.i}")
    page.focus('.array[data-name="a"] td[tabindex="0"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    value = recordings["lstm"].array(frame, "a")[1, 1]
    assert page.text_content("#tip") == f"a[1, 1]\n{str(float(value)).replace('-', '−')}"
    assert page.is_visible("#tip")
    assert frame_of(page) == frame.i


def test_deep_link_lands_and_is_kept_up_to_date(shown, recordings):
    recording = recordings["gru"]
    target = recording.at(function="gru_step_backward", t=1)[4]
    page = shown("gru", f"#frame={target.i}")
    assert frame_of(page) == target.i
    assert page.text_content("#place") == "backward, t = 1"
    page.keyboard.press("ArrowRight")
    page.wait_for_function("i => location.hash === `#frame=${i}`", arg=target.i + 1)
    assert page.get_attribute("#link", "href") == f"#frame={target.i + 1}"


@pytest.mark.parametrize("anchor", ["#frame=99999999", "#frame=-1", "#frame=x", "#other"])
def test_a_wrong_link_lands_somewhere(shown, recordings, anchor):
    page = shown("dense", anchor)
    assert frame_of(page) in (0, len(recordings["dense"]) - 1)


def test_time_steps_and_slider_jump(shown, recordings):
    page = shown("lstm")
    page.click("#steps button[aria-label='t = 4, backward']")
    frame = recordings["lstm"].frames[frame_of(page)]
    assert (frame.t, frame.phase) == (4, "backward")
    page.fill("#number", "17")
    page.press("#number", "Enter")
    assert frame_of(page) == 17
    page.focus("#seek")
    page.keyboard.press("ArrowRight")
    assert frame_of(page) == 18


def test_equations_only(shown, recordings):
    page, recording = shown("lstm"), recordings["lstm"]
    page.check("#equations")
    page.focus("#lines")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        frame = recording.frames[frame_of(page)]
        file = recording.files[recording.functions[frame.function].file]
        assert frame.line in file.equations


def test_the_cell_being_computed_is_lit(shown, recordings):
    recording = recordings["lstm"]
    frame = next(f for f in recording.at(function="lstm_step", t=3) if "c" in f.changed)
    page = shown("lstm", f"#frame={frame.i}")
    assert page.get_attribute("#drawing svg", "aria-label") == (
        "LSTM, forward, time step 3: computing c"
    )
    assert page.locator("#drawing .lit").count() == 1
    tips = page.eval_on_selector_all(
        "#drawing .lit [data-tip]", "tiles => tiles.map(tile => tile.dataset.tip)"
    )
    drawn = [float(tip.split("\n")[1].replace("−", "-")) for tip in tips]
    assert drawn == recording.array(frame, "c").ravel().tolist()
    back = next(f for f in recording.at(function="lstm_step_backward", t=3) if "df" in f.changed)
    page.evaluate("i => location.hash = `#frame=${i}`", back.i)
    page.wait_for_function("() => document.querySelector('#drawing svg').ariaLabel.endsWith('df')")


def test_a_value_is_drawn_from_the_line_that_computes_it(shown, recordings):
    frame = next(f for f in recordings["rnn"].at(function="simple_rnn_step") if "a" in f.changed)
    size = recordings["rnn"].array(frame, "a").size
    for moment, tiles in ((frame.i - 1, 0), (frame.i, size)):
        page = shown("rnn", f"#frame={moment}")
        cell = page.locator("#drawing svg .node").nth(1)
        assert cell.locator("rect[data-tip]").count() == tiles


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_and_the_button(shown, scheme):
    page = shown("dense", scheme=scheme)
    background = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    assert page.get_attribute("html", "data-theme") == scheme
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") != scheme
    assert page.evaluate(background) != before


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080), (800, 1000)])
def test_nothing_sticks_out(shown, width, height):
    for name in ("lstm", "backprop", "markov"):
        page = shown(name, "#frame=30", width=width, height=height)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width > 1000:
            assert page.evaluate("document.documentElement.scrollHeight") <= height
            box = page.locator("#drawing svg").first.bounding_box() if name != "markov" else None
            room = page.locator("#drawing").bounding_box()
            if box:
                assert box["y"] + box["height"] <= room["y"] + room["height"] + 1


def test_lstm_page_is_small_and_quick(shown, folder):
    page = shown("lstm")
    assert (folder / "lstm.html").stat().st_size < LIMIT_BYTES
    times = page.evaluate(
        """async () => {
            const times = [];
            for (let k = 0; k < 200; k++) {
                const began = performance.now();
                document.body.dispatchEvent(
                    new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
                document.body.getBoundingClientRect();
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
                times.push(performance.now() - began);
            }
            return times;
        }"""
    )
    assert statistics.median(times) < LIMIT_MS


def test_questions(shown, recordings):
    page = shown("lstm")
    page.click("#tab-where")
    assert page.locator("#where .flow > tbody > tr").count() == 6
    page.locator("#where button").nth(2).click()
    frame = recordings["lstm"].frames[frame_of(page)]
    assert (frame.t, "dh" in frame.changed) == (3, True)
    assert page.is_visible("#step")
    page.click("#tab-vanish")
    assert page.locator("#vanish svg").count() == 2
    page.keyboard.press("ArrowRight")  # round to the first tab
    assert page.is_visible("#step")


def test_two_runs(browser, recordings, tmp_path):
    first = recordings["rnn"]
    frame = first.at(function="simple_rnn_step", t=0)[1]
    first.beside(first.replay(frame, Wx={(0, 0): 3.0})).save(tmp_path / "both.html")
    page = browser.new_page()
    page.goto((tmp_path / "both.html").as_uri() + f"#frame={frame.i + 40}")
    assert page.locator("#drawing svg").count() == 2
    upper, lower = (page.locator("#drawing svg").nth(k).bounding_box() for k in (0, 1))
    assert upper["y"] + upper["height"] <= lower["y"]
    assert upper["x"] == lower["x"]
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert "second run" in page.text_content("#values")
    page.close()


def opened(browser, path):
    """Open a page; afterwards nothing was complained of."""
    complaints = []
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    assert complaints == []
    return page


def test_a_recording_without_a_line(browser, tmp_path):
    step(np.cumsum, np.ones(3)).save(tmp_path / "empty.html")
    page = opened(browser, tmp_path / "empty.html")
    assert "No line was recorded" in page.text_content("#notice")
    assert not page.is_visible("footer")
    page.close()


@pytest.mark.parametrize(
    ("name", "selector", "said"),
    [("dense", "#drawing svg", "10 of 20 units"), ("rnn", "#legend", "shown: 16 of 20 units")],
)
def test_what_is_left_out_is_said(browser, tmp_path, name, selector, said):
    systems.case(name, units=20, time=3).record().save(tmp_path / "large.html")
    page = opened(browser, tmp_path / "large.html")
    assert said in page.text_content(selector)
    page.close()


def test_many_time_steps_scroll_instead_of_shrinking(browser, tmp_path):
    systems.case("rnn", time=30, units=2).record().save(tmp_path / "long.html")
    page = opened(browser, tmp_path / "long.html")
    page.click("#tab-where")
    assert page.locator(".chart-box svg").bounding_box()["height"] > 150
    page.close()


AXE = pytest.mark.parametrize(
    ("name", "tab"),
    [
        ("lstm", "step"),
        ("lstm", "where"),
        ("lstm", "vanish"),
        ("dense", "step"),
        ("adam", "step"),
    ],
)


@AXE
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(shown, recordings, name, tab, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")
    page = shown(name, f"#frame={len(recordings[name]) // 3}", scheme=scheme)
    if tab != "step":
        page.click(f"#tab-{tab}")
    script = Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(script)
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    serious = [
        (one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
