"""``scratchnet markov``: tables, samples and refusals."""

import json

import pytest

LINE = "Abracadabra, said the man; and the man said Abracadabra.\n"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(LINE * 3, encoding="utf-8")
    return path


def rows(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines()[2:]]


class TestPublished:
    @pytest.mark.shared_data
    def test_the_39_followers_of_a(self, scratchnet, shared_file):
        shared_file("nietzsche.txt")
        result = scratchnet("markov", "--followers", "a")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("After 'a': 39 different, 36,796 times\n")
        table = rows(result.stdout)
        assert len(table) == 39
        assert table[0][:3] == ["'n'", "8,547", "0.232281"]
        assert ["'b'", "813", "0.022095", "███"] in table
        assert result.stderr == (
            "nietzsche.txt: 600,893 characters, 57 different; 57 contexts of order 1, "
            "1,227 transitions\n"
        )

    @pytest.mark.shared_data
    def test_a_thousand_characters_from_t(self, scratchnet, shared_file):
        shared_file("nietzsche.txt")
        result = scratchnet("markov", "--prompt", "t", "--length", "1000")
        assert result.exit_code == 0, result.output
        assert len(result.stdout) == 1 + 1000 + 1
        assert result.stdout[0] == "t"

    @pytest.mark.shared_data
    def test_json(self, scratchnet, shared_file):
        shared_file("nietzsche.txt")
        said = json.loads(scratchnet("markov", "--followers", "a", "--json").stdout)
        assert said["probabilities"]["n"] == 0.2322806826829003
        assert said["followers"]["b"] == 813
        assert said["vocabulary"] == 57
        assert said["sample"] is None


class TestOwnText:
    def test_blanks_and_line_ends_are_visible(self, scratchnet, text):
        result = scratchnet("markov", "--text", text, "--followers", ".")
        assert rows(result.stdout) == [[r"'\n'", "3", "1.000000", "█" * 30]]
        assert rows(scratchnet("markov", "--text", text, "--followers", "n").stdout)[0][:2] == [
            "'",
            "'",
        ]

    def test_all_of_several_files(self, scratchnet, text):
        said = json.loads(
            scratchnet(
                *("markov", "--text", text, "--text", text, "--json", "--max-lines", 2),
                *("--followers", "", "--length", 7, "--order", 2, "--seed", 3),
            ).stdout
        )
        assert [file["path"] for file in said["files"]] == [str(text)] * 2
        assert said["symbols"] == len(LINE) * 4 + 1
        assert said["followers"]["a"] == 4 * LINE.lower().count("a")
        assert sum(said["probabilities"].values()) == pytest.approx(1)
        assert len(said["sample"]) == 7
        assert said["context"] == ""
        assert said["prompt"] is None

    def test_what_is_asked_for_is_lower_cased_like_the_text(self, scratchnet, text):
        result = scratchnet("markov", "--text", text, "--prompt", "ABRA", "--followers", "S")
        assert result.stdout.startswith("After 's': 1 different, 6 times\n")
        assert "\n\nabra" in result.stdout
        kept = ("markov", "--text", text, "--keep-case")
        assert scratchnet(*kept, "--followers", "A").stdout.startswith("After 'A': 1 different, 6")

    def test_words(self, scratchnet, text):
        words = ("markov", "--text", text, "--unit", "word", "--order", 2)
        result = scratchnet(*words, "--prompt", "the  man,", "--length", 2, "--temperature", 0)
        assert result.stdout == "the man said abracadabra\n"
        assert result.stderr.startswith("a.txt: 27 words, 5 different; ")
        assert rows(scratchnet(*words, "--followers", "the man").stdout)[0][:2] == ["'said'", "3"]

    def test_a_sample_is_what_is_written_by_default(self, scratchnet, text):
        samples = [
            scratchnet("markov", "--text", text, "--seed", seed).stdout for seed in (0, 0, 1)
        ]
        assert len(samples[0]) == 401
        assert samples[0] == samples[1] != samples[2]

    def test_a_long_table_says_what_it_leaves_out(self, scratchnet, tmp_path):
        path = tmp_path / "many.txt"
        path.write_text("".join(f"a{chr(0x4E00 + n)}" for n in range(130)), encoding="utf-8")
        result = scratchnet("markov", "--text", path, "--followers", "a")
        assert len(rows(result.stdout)) == 101
        assert result.stdout.endswith("and 30 more, which --json has\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--order", "0"], "MarkovChain: expected order to be a positive integer, got 0"),
        (["--order", "99"], "MarkovChain: expected order to be at most 20, got 99"),
        (["--unit", "byte"], "MarkovChain: expected unit to be char or word, got 'byte'"),
        (["--prompt", "a☃"], "expected a prompt of characters that the text has, got '☃'"),
        (["--followers", "ab"], "a context of at most 1 character, got 2"),
        (["--followers", ""], None),
        (["--followers", "z"], "expected a context of characters that the text has, got 'z'"),
        (["--temperature", "nan"], "expected temperature to be a number of 0 or more, got nan"),
        (["--length", "-1"], "expected length to be a whole number of 0 or more, got -1"),
        (["--top-k", "0"], "expected top_k to be a positive integer, got 0"),
        (["--seed", "-1"], "expected seed to be a whole number of 0 or more, got -1"),
        (["--max-lines", "0"], "max_lines"),
        (["--encoding", "klingon"], "klingon"),
        (["--text", "missing.txt"], "missing.txt: no such file"),
    ],
)
def test_refused(refused, scratchnet, text, words, said):
    if said is None:
        assert scratchnet("markov", "--text", text, *words).exit_code == 0
        return
    assert said in refused("markov", "--text", text, *words)


def test_a_binary_file_is_refused(refused, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert "picture.png" in refused("markov", "--text", path)


def test_help_has_an_example(scratchnet):
    assert "scratchnet markov --followers a" in scratchnet("markov", "--help").stdout
