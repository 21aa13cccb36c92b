"""Markov chains: the published table, counting, back-off, samples, files."""

import itertools
import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.errors import DataError, InputError
from scratchnet.stepper.cases import lessons
from scratchnet.text import chain_file, markov, transitions
from scratchnet.text.markov import UNKNOWN, MarkovChain

TEXT = "abracadabra, said the man; and abracadabra he said again.\n"
LETTERS = st.text("abc ", min_size=1, max_size=60)
ORDERS = st.integers(1, 4)


@pytest.fixture(scope="module")
def nietzsche(shared_file):
    with shared_file("nietzsche.txt").open(encoding="utf-8", newline="") as file:
        return file.read().lower()


def fitted(text: str, order: int, unit: str = "char") -> MarkovChain:
    """A chain of the order, or of the highest that the text is long enough for."""
    chain = MarkovChain(1, unit)
    return MarkovChain(max(1, min(order, len(chain.split(text)) - 1)), unit).fit(text)


def pairs(text: str, order: int) -> Counter:
    return Counter((text[t : t + order], text[t + order]) for t in range(len(text) - order))


@pytest.mark.shared_data
class TestPublished:
    def test_table_of_order_1(self, nietzsche):
        chain = MarkovChain(order=1, unit="char")
        assert chain.fit(nietzsche) is chain
        counts, probabilities = chain.counts, chain.probabilities
        assert len(nietzsche) == 600_893
        assert counts.shape == (57, 57)
        assert counts.loc["a", "b"] == 813
        assert probabilities.loc["a", "n"] == 0.2322806826829003
        assert (counts.loc["a"] > 0).sum() == len(chain.followers("a")) == 39
        assert counts.to_numpy().sum() == 600_892
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)

    def test_a_thousand_characters_from_t(self, nietzsche):
        chain = MarkovChain().fit(nietzsche)
        sample = chain.generate(1000, "t")
        assert len(sample) == 1000
        followed = chain.counts
        assert all(followed.loc[a, b] for a, b in zip("t" + sample, sample, strict=False))

    @pytest.mark.slow
    def test_order_10(self, nietzsche):
        chain = MarkovChain(10).fit(nietzsche)
        assert chain.num_transitions == len({nietzsche[t : t + 11] for t in range(600_883)})
        last = chain.levels[-1]
        assert last.counts.sum() == 600_883
        assert last.codes.max() < last.contexts * 57
        with pytest.raises(InputError, match="at most 16,777,216 cells"):
            _ = chain.counts
        context = "the human "
        followers = chain.followers(context)
        expected = Counter({s: n for (c, s), n in pairs(nietzsche, 10).items() if c == context})
        assert followers.to_dict() == dict(expected)

    def test_held_out_bits_fall_and_rise(self, nietzsche):
        cut = 540_804
        bits = [
            MarkovChain(order).fit(nietzsche[:cut]).bits(nietzsche[cut:]) for order in (1, 2, 4)
        ]
        assert bits == pytest.approx([3.489, 2.819, 2.069], abs=2e-3)


class TestCounts:
    @given(LETTERS.filter(lambda text: len(text) > 1), ORDERS)
    def test_counts_are_those_of_a_plain_loop(self, text, order):
        chain = fitted(text, order)
        expected = pairs(text, chain.order)
        counts = chain.counts
        assert list(counts.columns) == sorted(set(text))
        assert list(counts.index) == sorted({context for context, _ in expected})
        for context, row in counts.iterrows():
            for symbol, n in row.items():
                assert n == expected[context, symbol]
        assert chain.num_contexts == len(counts)
        assert chain.num_transitions == len(expected)

    def test_probabilities_are_relative_frequencies(self):
        chain = MarkovChain(2).fit(TEXT)
        assert chain.probabilities.loc["ab", "r"] == 1
        assert chain.probabilities.loc["ra", "c"] == 2 / 4
        assert chain.counts.dtypes.eq(np.int64).all()

    @pytest.mark.parametrize("order", [1, 2, 3])
    def test_the_readable_loop_of_the_lesson_counts_the_same(self, order):
        chain = MarkovChain(order).fit(TEXT)
        V = len(chain.vocabulary)
        counts, probabilities = lessons.markov(chain.vocabulary.encode(TEXT), order, V)
        occurred = counts.any(axis=1)
        np.testing.assert_array_equal(chain.counts, counts[occurred])
        np.testing.assert_array_equal(chain.probabilities, probabilities[occurred])

    @given(st.lists(st.integers(0, 30), min_size=1, max_size=50), st.integers(31, 60))
    def test_sorting_and_tabulating_agree(self, codes, large):
        codes = np.array(codes, dtype=np.int64)
        sort = transitions._unique(codes, max(large, len(codes) + 1))
        table = transitions._unique(np.tile(codes, 31), 31)
        np.testing.assert_array_equal(sort[0], table[0])
        np.testing.assert_array_equal(np.tile(sort[1], 31), table[1])
        np.testing.assert_array_equal(sort[2] * 31, table[2])

    def test_no_table_is_made_for_codes_that_are_few_and_large(self):
        ids = np.array([3, 10**9, 3, 10**9, 3, 7])
        levels = transitions.count(ids, 2, V=10**12)
        assert [counts.tolist() for _, counts in levels] == [[3, 1, 2], [1, 2, 2], [2, 1, 1]]

    def test_words(self):
        chain = MarkovChain(2, unit="word").fit("To be, or not to be: that is to be or so.")
        assert list(chain.counts.index)[:2] == ["to be", "be or"]
        assert chain.counts.loc["to be"].sum() == 3
        assert chain.counts.loc["to be", "or"] == 2
        assert chain.followers("to be").to_dict() == {"or": 2, "that": 1}

    def test_followers_by_falling_count_for_any_shorter_context(self):
        chain = MarkovChain(3).fit("abracadabra")
        assert list(chain.followers("").items()) == [
            ("a", 5),
            ("b", 2),
            ("r", 2),
            ("c", 1),
            ("d", 1),
        ]
        assert list(chain.followers("a").items()) == [("b", 2), ("c", 1), ("d", 1)]
        assert chain.followers("abr").to_dict() == {"a": 2}

    def test_a_large_table_is_refused_and_its_rows_are_not(self, monkeypatch):
        chain = MarkovChain().fit("abracadabra")
        monkeypatch.setattr(markov, "LARGEST_TABLE", 25)
        assert chain.counts.size == 25
        monkeypatch.setattr(markov, "LARGEST_TABLE", 24)
        for name in ("counts", "probabilities"):
            with pytest.raises(InputError) as caught:
                getattr(chain, name)
            assert str(caught.value) == (
                "MarkovChain: expected a table of at most 24 cells, got 5 contexts × 5 symbols. "
                "Take one row with followers(context), or a smaller order."
            )
        assert chain.followers("a")["b"] == 2

    def test_the_last_context_may_have_been_followed_by_nothing(self):
        chain = MarkovChain(1).fit("aab")
        assert list(chain.counts.index) == ["a"]
        assert list(chain.counts.columns) == ["a", "b"]
        assert chain.num_contexts == 1

    def test_one_symbol(self):
        chain = MarkovChain(2).fit("aaaa")
        assert chain.probabilities.loc["aa", "a"] == 1
        assert chain.generate(3) == "aaa"
        assert 1 < chain.perplexity("aaaa") < 2

    def test_a_second_fit_forgets_the_first(self):
        chain = MarkovChain().fit("abab").fit("cdcdc")
        assert chain.counts.to_dict() == {"c": {"c": 0, "d": 2}, "d": {"c": 2, "d": 0}}


def witten_bell(text: str, order: int, context: str, symbol: str) -> float:
    """The equation, by recursion over plain strings."""
    V = len(set(text))
    smaller = 1 / (V + 1) if not context else witten_bell(text, order, context[1:], symbol)
    following = Counter(
        text[t + len(context)]
        for t in range(len(text) - len(context))
        if text[t : t + len(context)] == context
    )
    K, n = len(following), following.total()
    return (following[symbol] + K * smaller) / (n + K) if K else smaller


class TestBackOff:
    def test_by_hand(self):
        # "aab": a is followed by a and b once each; by frequency a has 2 of 3 and b has 1.
        p = MarkovChain(1).fit("aab").distribution("a")
        p_a, p_b, p_unknown = (2 + 2 / 3) / 5, (1 + 2 / 3) / 5, (2 / 3) / 5
        assert p["a"] == pytest.approx((1 + 2 * p_a) / 4, rel=1e-15)
        assert p["b"] == pytest.approx((1 + 2 * p_b) / 4, rel=1e-15)
        assert p[UNKNOWN] == pytest.approx(2 * p_unknown / 4, rel=1e-15)

    @given(LETTERS.filter(lambda text: len(text) > 1), ORDERS, st.text("abcx ", max_size=6))
    def test_adds_up_to_1_after_any_context(self, text, order, context):
        chain = fitted(text, order)
        p = chain.distribution(context)
        assert list(p.index) == [*sorted(set(text)), UNKNOWN]
        assert p.sum() == pytest.approx(1, abs=1e-12)
        assert (p > 0).all()
        last = context[-chain.order :]
        for symbol in p.index:
            assert p[symbol] == pytest.approx(witten_bell(text, order, last, symbol), rel=1e-12)

    @given(
        LETTERS.filter(lambda text: len(text) > 1), ORDERS, st.text("abcx ", min_size=1, max_size=9)
    )
    def test_a_text_is_scored_symbol_by_symbol(self, text, order, held_out):
        chain = fitted(text, order)
        bits = 0.0
        for t, symbol in enumerate(held_out):
            p = chain.distribution(held_out[max(0, t - chain.order) : t])
            bits -= math.log2(p[symbol if symbol in p.index else UNKNOWN])
        assert chain.bits(held_out) == pytest.approx(bits / len(held_out), rel=1e-12)
        assert chain.perplexity(held_out) == pytest.approx(2 ** (bits / len(held_out)), rel=1e-12)

    def test_held_out_text_has_a_finite_perplexity(self):
        chain = MarkovChain(4).fit(TEXT)
        assert chain.perplexity("unheard-of ☃ symbols, and quite a few") < 100
        assert chain.perplexity(TEXT) < 2.5

    def test_words_outside_the_vocabulary(self):
        chain = MarkovChain(1, "word").fit("the man and the dog")
        unknown = -math.log2(chain.distribution("the")[UNKNOWN])
        known = -math.log2(chain.distribution("")["the"])
        assert chain.bits("the cat") == pytest.approx((unknown + known) / 2)


class TestSamples:
    def test_frequencies_are_the_relative_ones(self):
        chain = MarkovChain(1).fit(TEXT * 3)
        sample = chain.generate(15_000, "a", seed=3)
        drawn = Counter(b for a, b in itertools.pairwise(sample) if a == "a")
        for symbol, p in chain.probabilities.loc["a"].items():
            n = drawn.total()
            assert abs(drawn[symbol] - n * p) <= 4 * math.sqrt(n * p * (1 - p))

    @pytest.mark.parametrize("order", [1, 3, 6])
    def test_every_context_of_a_sample_occurs(self, order):
        sample = MarkovChain(order).fit(TEXT * 2).generate(300, seed=1)
        assert len(sample) == 300
        assert all(sample[t : t + order + 1] in TEXT * 2 for t in range(300 - order))

    def test_the_seed_decides(self):
        chain = MarkovChain().fit(TEXT)
        assert chain.generate(200, seed=1) == chain.generate(200, seed=1)
        assert chain.generate(200, seed=1) != chain.generate(200, seed=2)

    def test_a_stream_is_the_sample_in_pieces(self):
        chain = MarkovChain(2, "word").fit("I don't know what we don't know, and I don't care.")
        pieces = list(chain.stream(30, "we do", seed=4))
        assert len(pieces) == 30
        assert "".join(pieces) == chain.generate(30, "we do", seed=4)
        assert pieces[0] == "n't"
        assert chain.split("we do" + "".join(pieces))[2:] == [piece.strip() for piece in pieces]

    def test_temperature_0_takes_the_likeliest_and_the_first_of_equals(self):
        chain = MarkovChain().fit("abracadabra")
        assert chain.generate(6, "d", temperature=0) == "abrabr"
        assert MarkovChain().fit("cbcac").generate(1, "c", temperature=0) == "a"
        assert chain.generate(6, "d", top_k=1, seed=5) == "abrabr"

    def test_a_low_temperature_sharpens(self):
        chain = MarkovChain().fit("ab" * 9 + "ac" * 3)
        shares = [
            Counter(chain.generate(6000, temperature=temperature))["c"] / 3000
            for temperature in (0.5, 1, 50)
        ]
        assert shares == pytest.approx([0.1, 0.25, 0.49], abs=0.03)

    def test_backs_off_where_a_context_never_occurred(self):
        chain = MarkovChain(3).fit("abcabcabd")
        assert chain.generate(1, "dddab", temperature=0) == "c"  # after ab
        assert chain.generate(1, "a") == "b"  # shorter than the order
        assert chain.generate(1, "abd", temperature=0) == "a"  # nothing ever followed d
        assert chain.generate(1, temperature=0) == "a"

    def test_of_a_long_prompt_the_last_symbols_count(self):
        chain = MarkovChain(1).fit("abcabcabd")
        assert chain.generate(3, "abcabcabc", temperature=0) == "abc"

    def test_nothing_is_drawn_for_length_0(self):
        assert MarkovChain().fit(TEXT).generate(0) == ""


class TestRefused:
    @pytest.mark.parametrize("order", [0, -1, True, 1.5, "2", None, 21, 10**30])
    def test_order(self, order):
        with pytest.raises(InputError, match=r"^MarkovChain: expected order to be "):
            MarkovChain(order)

    @pytest.mark.parametrize("unit", ["chars", "", None, 3])
    def test_unit(self, unit):
        with pytest.raises(InputError, match="expected unit to be char or word, got "):
            MarkovChain(1, unit)

    @pytest.mark.parametrize(
        ("order", "unit", "text", "said"),
        [
            (1, "char", "", "at least one char"),
            (1, "char", "a", "a text of at least 2 characters for order 1, got 1. Give"),
            (5, "char", "abcde", "at least 6 characters for order 5, got 5"),
            (2, "word", "two words.", "at least 3 words for order 2, got 2"),
            (1, "word", " ... ", "at least one word"),
        ],
    )
    def test_text_too_short(self, order, unit, text, said):
        with pytest.raises(DataError, match=said):
            MarkovChain(order, unit).fit(text)

    @pytest.mark.parametrize("text", [None, b"abc", ["a", "b"], 3])
    def test_text_that_is_none(self, text):
        with pytest.raises(InputError, match=type(text).__name__):
            MarkovChain().fit(text)

    @pytest.mark.parametrize(
        "ask",
        [
            lambda chain: chain.counts,
            lambda chain: chain.probabilities,
            lambda chain: chain.followers("a"),
            lambda chain: chain.distribution("a"),
            lambda chain: chain.bits("a"),
            lambda chain: chain.generate(3),
            lambda chain: chain.save("chain.json"),
        ],
    )
    def test_a_chain_without_text(self, ask, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(InputError) as caught:
            ask(MarkovChain())
        assert str(caught.value) == (
            "MarkovChain: expected a fitted chain, got a new one. Call fit(text)."
        )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"length": -1}, "length"),
            ({"length": True}, "length"),
            ({"length": 2.5}, "length"),
            ({"temperature": math.nan}, "temperature"),
            ({"temperature": -0.5}, "temperature"),
            ({"temperature": math.inf}, "temperature"),
            ({"top_k": 0}, "top_k"),
            ({"seed": -1}, "seed"),
            ({"prompt": "a☃bÉ"}, "a prompt of characters that the text has, got '☃', 'É'. Leave"),
        ],
    )
    def test_samples_before_the_first_piece(self, options, said):
        with pytest.raises(InputError, match=said):
            MarkovChain().fit(TEXT).stream(**{"length": 3, **options})

    def test_at_most_ten_unknown_symbols_are_named(self):
        with pytest.raises(InputError, match=r"'9', '8'.*'0' and 2 more\. Leave them out\.$"):
            MarkovChain().fit(TEXT).generate(1, "9876543210[]")

    def test_contexts(self):
        chain = MarkovChain(2).fit("abracadabra")
        with pytest.raises(InputError, match="a context of at most 2 characters, got 3"):
            chain.followers("bra")
        with pytest.raises(InputError, match="got 'z'"):
            chain.followers("az")
        with pytest.raises(InputError) as caught:
            chain.followers("db")
        assert str(caught.value) == (
            "MarkovChain: expected a context that the text follows with something, got 'db'. "
            "Its longest end that it does is 'b'; take that."
        )

    @pytest.mark.parametrize(("unit", "text"), [("char", ""), ("word", "?!")])
    def test_nothing_to_score(self, unit, text):
        with pytest.raises(DataError, match=r"at least one (character|word) to score, got none"):
            MarkovChain(1, unit).fit(TEXT).bits(text)


class TestFiles:
    @pytest.mark.parametrize(("order", "unit"), [(1, "char"), (4, "char"), (2, "word")])
    def test_round_trip(self, tmp_path, order, unit):
        chain = MarkovChain(order, unit).fit(TEXT + "é\u2028☃")
        path = chain.save(tmp_path / "a folder/chain.json")
        again = MarkovChain.load(path)
        assert repr(again) == repr(chain) == f"MarkovChain(order={order}, unit={unit!r})"
        assert again.vocabulary == chain.vocabulary
        assert again.counts.equals(chain.counts)
        assert again.generate(100, seed=2) == chain.generate(100, seed=2)
        assert again.bits("a held-out text") == chain.bits("a held-out text")

    def test_missing(self, tmp_path):
        with pytest.raises(DataError, match=r"no.json: no such file\. Check the path\.$"):
            MarkovChain.load(tmp_path / "no.json")

    def test_truncated_anywhere(self, tmp_path):
        path = MarkovChain(2).fit("abracadabra").save(tmp_path / "chain.json")
        whole = path.read_bytes().rstrip()
        for end in range(0, len(whole), 7):
            path.write_bytes(whole[:end])
            with pytest.raises(DataError, match=r"chain\.json"):
                MarkovChain.load(path)

    @pytest.mark.parametrize(
        ("path", "value", "said"),
        [
            (("format",), "scratchnet vocabulary 1", "Markov chain"),
            (("format",), "scratchnet Markov chain 2", "Markov chain"),
            (("order",), 2, "levels"),
            (("order",), True, "order"),
            (("order",), "1", "order"),
            (("unit",), "byte", "unit"),
            (("unit",), None, "unit"),
            (("symbols",), ["a", "b", "b", "d", "e"], "got 'b'"),
            (("symbols",), [], "levels/0"),
            (("symbols",), "abcdr", "symbols"),
            (("symbols",), [1, 2, 3, 4, 5], "symbols"),
            (("levels",), [], "levels"),
            (("levels",), None, "levels"),
            (("levels", 0), [], "levels/0"),
            (("levels", 0, "kinds"), [4], "levels/0"),
            (("levels", 0, "kinds"), [5, 0], "levels/0"),
            (("levels", 0, "ids"), [0, 1, 2, 4, 3], "levels/0/ids"),
            (("levels", 0, "ids"), [0, 1, 2, 3, 3], "levels/0/ids"),
            (("levels", 0, "ids"), [0, 1, 2, 3, 5], "levels/0/ids"),
            (("levels", 0, "ids"), [-1, 1, 2, 3, 4], "levels/0/ids"),
            (("levels", 0, "ids"), [0, 1, 2, 3, 10**40], "levels/0/ids"),
            (("levels", 0, "ids"), [0, 1, 2, 3, 4.0], "levels/0/ids"),
            (("levels", 0, "ids"), {"0": 1}, "levels/0/ids"),
            (("levels", 1, "counts"), [1], "levels/1"),
            (("levels", 1, "counts"), [0, 1, 1, 2, 1, 1, 2], "levels/1/counts"),
            (("levels", 1, "counts"), [2**60, 1, 1, 2, 1, 1, 2], "levels/1/counts"),
            (("levels", 1, "counts"), [2, 1, 1, 2, 1, 1, True], "levels/1/counts"),
            (("levels", 1, "ids"), [2, 1, 3, 4, 0, 0, 0], "levels/1/ids"),
        ],
    )
    def test_changed(self, tmp_path, path, value, said):
        file = MarkovChain(1).fit("abracadabra").save(tmp_path / "chain.json")
        content = json.loads(file.read_bytes())
        place = content
        for key in path[:-1]:
            place = place[key]
        assert repr(place[path[-1]]) != repr(value)
        place[path[-1]] = value
        file.write_text(json.dumps(content))
        with pytest.raises(DataError, match=said) as caught:
            MarkovChain.load(file)
        assert "\n" not in str(caught.value)

    def test_too_large(self, tmp_path, monkeypatch):
        chain = MarkovChain(1).fit("abracadabra")
        monkeypatch.setattr(chain_file, "LARGEST_CHAIN", 11)
        with pytest.raises(InputError, match="at most 11 transitions to save, got 12 of up to"):
            chain.save(tmp_path / "chain.json")
        assert list(tmp_path.iterdir()) == []
        monkeypatch.undo()
        path = chain.save(tmp_path / "chain.json")
        monkeypatch.setattr(chain_file, "LARGEST_FILE", 100)
        with pytest.raises(DataError, match="100 bytes"):
            MarkovChain.load(path)
