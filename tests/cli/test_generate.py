"""``scratchnet generate``: the same run writes in either engine, with state or window."""

import json
import math

import pytest

LINE = "she sells sea shells by the sea shore, the shells she sells are sea shells; "


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a run of each kind, made once."""
    from typer.testing import CliRunner

    from scratchnet.cli import app

    folder = tmp_path_factory.mktemp("runs")
    (folder / "sea.txt").write_text(LINE * 30)
    small = ["--text", folder / "sea.txt", "--samples", 0, "--window", 10]
    for name, *words in (
        ("char", "text", *small, "--units", 24, "--epochs", 4, "--batch-size", 16),
        ("deep", "text", *small, "--units", 5, "--epochs", 1, "--layers", 2, "--cell", "gru"),
        ("word", "text", *small, "--unit", "word", "--embedding", 4, "--epochs", 1, "--units", 6),
        ("chain", "markov", "--text", folder / "sea.txt", "--order", 2),
        ("table", "wisconsin", "--epochs", 1),
    ):
        command = ["train", *words, "--out", folder / name]
        result = CliRunner().invoke(app, [str(word) for word in command])
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def write(scratchnet, runs):
    def run(name, *words):
        result = scratchnet("generate", runs / name, *words)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def refusal(result):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_what_is_written_follows_the_prompt(write):
    said = write("char", "--prompt", "She Sells", "--length", 30)
    assert said.startswith("She Sells")
    assert len(said) == len("She Sells") + 30 + 1
    answer = json.loads(write("char", "--prompt", "She Sells", "--length", 30, "--json"))
    assert said == f"She Sells{answer['text']}\n"
    assert answer["engine"] == "scratch"
    assert answer["seconds"] > 0


def test_the_seed_decides(write):
    texts = [
        write("char", "--temperature", 1.2, "--length", 40, "--prompt", "the ", "--seed", seed)
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_without_a_prompt_it_goes_on_from_a_passage(write):
    answer = json.loads(write("char", "--json"))
    assert len(answer["prompt"]) == 10
    assert answer["prompt"] in LINE * 2
    assert len(answer["text"]) == 400


@pytest.mark.parametrize("name", ["char", "deep", "word"])
@pytest.mark.parametrize("window", [(), ("--exact-window",)])
def test_both_engines_write_the_same(write, name, window):
    pytest.importorskip("keras")
    words = ("--temperature", 0, "--length", 40, "--prompt", "the sea ", *window)
    assert write(name, *words) == write(name, *words, "--engine", "keras")


def test_a_window_and_carried_states_are_two_things(runs):
    """Inside the first window they are one: the same prompt from states of zeros."""
    from scratchnet import runs as folders
    from scratchnet.generation import OneStep, sliding_window

    run = folders.read(runs / "char")
    model = folders.load_model(runs / "char", run.reader)
    ids = run.reader.inputs(LINE[:25])
    carried, window = OneStep(model), sliding_window(model, 10)
    assert abs(carried.feed(ids[:10]) - window.feed(ids[:10])).max() < 1e-5
    assert abs(carried.feed(ids[10:]) - window.feed(ids[10:])).max() > 1e-3


def test_a_chain_writes(write):
    said = write("chain", "--prompt", "SH", "--length", 20, "--temperature", 1)
    assert said.startswith("sh")
    assert len(said) == 23
    assert all(said[i : i + 3] in LINE * 2 for i in range(len(said) - 3))


def test_words_are_written_with_spaces(write):
    for prompt in ("the sea", "the sea "):
        said = write("word", "--prompt", prompt, "--length", 5, "--temperature", 0)
        assert len(said.split()) == 7
        assert "  " not in said


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("char", ("--temperature", "nan"), "expected temperature to be a number of 0 or more"),
        ("char", ("--temperature", "-0.5"), "expected temperature to be a number of 0 or more"),
        ("char", ("--temperature", "inf"), "expected temperature to be a number of 0 or more"),
        (
            "char",
            ("--prompt", "the µ and €"),
            "that the run's text has, got 'µ', 'n', 'd', '€'. Leave",
        ),
        ("char", ("--prompt", ""), "--prompt: expected one or more characters, got none"),
        ("char", ("--top-k", "0"), "top_k"),
        ("char", ("--top-p", "1.5"), "top_p"),
        ("char", ("--engine", "torch"), "--engine: expected one of scratch, keras"),
        ("char", ("--length", "0"), "--length"),
        ("table", (), "expected a run that learned a text, got one of wisconsin"),
        ("chain", ("--exact-window",), "--exact-window: a chain has no such option"),
        ("chain", ("--prompt", "µ"), "µ"),
        ("none", (), "no run here"),
    ],
)
def test_what_cannot_be_written_is_one_line(scratchnet, runs, name, words, said):
    assert said in refusal(scratchnet("generate", runs / name, *words))


def test_only_among_the_likeliest(write):
    words = ("--length", 40, "--prompt", "the sea ")
    greedy = write("char", "--temperature", 0, *words)
    assert write("char", "--temperature", 5, "--top-k", 1, *words) == greedy
    assert write("char", "--temperature", 1, "--top-p", 1e-9, *words) == greedy
    assert write("char", "--temperature", 5, *words) != greedy


def test_evaluate_and_predict_know_a_text(scratchnet, runs):
    answer = json.loads(scratchnet("evaluate", runs / "char", "--json").stdout)
    assert answer["perplexity"] == pytest.approx(math.exp(answer["loss"]))
    assert answer["bits"] == pytest.approx(answer["loss"] / math.log(2))
    assert "bits a character" in scratchnet("evaluate", runs / "char").stdout
    assert "bits a word" in scratchnet("evaluate", runs / "word").stdout
    assert "bits a character" in scratchnet("evaluate", runs / "chain").stdout
    assert "learned to predict" in refusal(scratchnet("predict", runs / "char", "a.csv"))
