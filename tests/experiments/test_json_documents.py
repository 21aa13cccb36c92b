"""The documents that the project generates, and the count of those that parse and fit."""

import hashlib
import itertools
import json
import sys

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet.errors import InputError
from scratchnet.experiments import json_documents
from scratchnet.experiments.json_documents import SCHEMA, Shares, documents, generate, shares

ORDER = {
    "order": 4182,
    "customer": {
        "name": "Rosa",
        "address": {"street": "Mill Lane", "house": 12, "city": "Leeds"},
    },
    "items": [
        {"product": "assam", "grams": 250, "price": 6.4, "options": ["tin", "organic"]},
        {"product": "mint", "grams": 75, "price": 3, "options": []},
    ],
    "delivery": {"express": False, "day": None},
    "note": "call first",
    "paid": True,
}
"""One that fits, written out by hand."""


def written(value) -> str:
    return json.dumps(value, indent=1) + "\n"


def changed(*path_and_value):
    """Return the order with one value replaced, or removed where no value is given."""
    *path, last, value = path_and_value
    order = json.loads(json.dumps(ORDER))
    inner = order
    for key in path:
        inner = inner[key]
    if value is REMOVED:
        del inner[last]
    else:
        inner[last] = value
    return order


REMOVED = object()


def depth(value) -> int:
    """Return how many objects and arrays lie around the innermost value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(depth, inner), default=0) + isinstance(value, (dict, list))


class TestGenerate:
    @given(count=st.integers(1, 12), seed=st.integers(0, 2**64))
    @settings(max_examples=40)
    def test_every_document_parses_and_fits_whatever_the_seed(self, count, seed):
        text = generate(count, seed)
        assert shares(text) == Shares(count, count, count)
        assert text.startswith("{\n")
        assert text.count("\n{") == count - 1
        for document in documents(text):
            order = json.loads(document)
            assert depth(order) == 4
            assert list(order) == [key for key in SCHEMA["properties"] if key in order]

    def test_everything_that_the_schema_names_occurs(self):
        orders = [json.loads(document) for document in documents(generate(400, 0))]
        items = [item for order in orders for item in order["items"]]
        customer = SCHEMA["properties"]["customer"]["properties"]
        delivery = SCHEMA["properties"]["delivery"]["properties"]
        for drawn, schema in (
            ([order["customer"]["name"] for order in orders], customer["name"]),
            ([order["delivery"]["day"] for order in orders], delivery["day"]),
            ([order["note"] for order in orders if "note" in order], SCHEMA["properties"]["note"]),
        ):
            assert set(drawn) == set(schema["enum"])
        assert {order["paid"] for order in orders} == {True, False}
        assert 0.4 < sum("note" in order for order in orders) / len(orders) < 0.6
        assert {len(order["items"]) for order in orders} >= {1, 2, 3, 4}
        assert {len(item["options"]) for item in items} >= {0, 1, 2, 3}
        assert {len(str(item["grams"])) for item in items} == {1, 2, 3}
        assert min(item["price"] for item in items) < 5
        assert max(item["price"] for item in items) > 95

    def test_the_ends_of_a_range_are_drawn_and_nothing_beyond(self):
        houses = {
            json.loads(document)["customer"]["address"]["house"]
            for document in documents(generate(1500, 3))
        }
        assert houses == set(range(1, 100))

    def test_a_price_is_any_number_of_cents_in_its_range(self):
        schema, rng = {"type": "number", "minimum": 1, "maximum": 2}, np.random.default_rng(0)
        prices = {json_documents._draw(schema, rng) for _ in range(1000)}
        assert prices == {cents / 100 for cents in range(100, 201)}

    def test_the_seed_decides(self):
        assert generate(5, 1) == generate(5, 1)
        assert generate(5, 1) != generate(5, 2)
        assert generate(5, 1).startswith(generate(3, 1))

    def test_the_same_text_on_every_machine(self):
        digest = hashlib.sha256(generate(100, 0).encode("ascii")).hexdigest()
        assert digest == "d041d85807594da2cbfc5fe15b76d35d779fc599968703545c1e88104d9937b5"

    @pytest.mark.parametrize("count", [0, -1, 2.5, True, "3", None])
    def test_a_count_that_is_none_is_refused(self, count):
        with pytest.raises(InputError, match="generate: expected count to be a positive integer"):
            generate(count, 0)

    @pytest.mark.parametrize("seed", [-1, 0.5, "0", None])
    def test_a_seed_that_is_none_is_refused(self, seed):
        with pytest.raises(InputError, match="generate: expected seed to be a whole number"):
            generate(1, seed)


class TestSchema:
    def test_it_is_one(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_the_order_written_by_hand_fits(self):
        assert shares(written(ORDER)) == Shares(1, 1, 1)
        assert shares(written(changed("note", REMOVED))) == Shares(1, 1, 1)

    @pytest.mark.parametrize(
        "order",
        [
            changed("order", "4182"),
            changed("order", 4182.5),
            changed("order", 999),
            changed("order", 10_000),
            changed("order", True),
            changed("paid", 1),
            changed("paid", None),
            changed("paid", REMOVED),
            changed("note", None),
            changed("colour", "green"),
            changed("customer", "Rosa"),
            changed("customer", "name", "rosa"),
            changed("customer", "address", "city", REMOVED),
            changed("customer", "address", "house", 0),
            changed("customer", "address", "flat", 3),
            changed("items", []),
            changed("items", {}),
            changed("items", 0, "price", 0.99),
            changed("items", 0, "price", 1e400),
            changed("items", 1, "grams", -75),
            changed("items", 1, "options", REMOVED),
            changed("items", 0, "options", ["tin", "tin"]),
            changed("items", 0, "options", ["tin", None]),
            changed("delivery", "day", "Sunday"),
            changed("delivery", "express", 0),
        ],
        ids=lambda order: str(sorted(map(str, order.items()))[0])[:20],
    )
    def test_what_does_not_fit_parses_all_the_same(self, order):
        text = written(order).replace("Infinity", "1e400")
        assert shares(text) == Shares(1, 1, 0)

    @given(st.data())
    @settings(max_examples=40)
    def test_no_key_but_the_optional_one_can_be_left_out_and_none_added(self, data):
        order = json.loads(generate(1, data.draw(st.integers(0, 999))))
        objects = [order, order["customer"], order["customer"]["address"], order["delivery"]]
        objects += order["items"]
        inner = data.draw(st.sampled_from(objects))
        if data.draw(st.booleans()):
            inner["extra"] = None
        else:
            del inner[data.draw(st.sampled_from([key for key in inner if key != "note"]))]
        assert shares(written(order)) == Shares(1, 1, 0)


class TestShares:
    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            (" },\n", " \n"),
            (" true\n", " true\n]"),
            ('"note"', "note"),
            ('"note"', '"note'),
            ("true", "True"),
            ("true", "NaN"),
            ("6.4", "Infinity"),
            ("6.4", "-Infinity"),
            ("6.4", "6."),
            ("250", "0250"),
            ("4182", "9" * 5000),
            ('"Rosa"', '"Ro\nsa"'),
            ('"Rosa"', "'Rosa'"),
            ('"paid": true', '"paid": true,'),
            ('"paid": true', '"paid": true, "paid": true'),
            ('"house": 12', '"house": 12, "house": 13'),
        ],
    )
    def test_what_is_no_json_is_counted_and_its_neighbours_with_it_not(self, right, wrong):
        broken = written(ORDER).replace(right, wrong, 1)
        assert broken != written(ORDER)
        assert shares(written(ORDER) + broken + written(ORDER)) == Shares(3, 2, 2)

    def test_the_three_figures_are_shares_of_the_documents(self):
        unfit, broken = written(changed("order", 1)), written(ORDER).replace(":", "", 1)
        found = shares(written(ORDER) + unfit + written(ORDER) + broken)
        assert found == Shares(documents=4, parsed=3, fitting=2)
        assert (found.parse, found.fit) == (0.75, 0.5)
        assert str(found) == "of 4 documents 75.0% parse, 50.0% fit the schema"

    def test_two_samples_are_counted_together(self):
        assert Shares(7, 5, 2) + Shares(10, 9, 8) == Shares(17, 14, 10)

    @given(cut=st.tuples(st.integers(0, 2000), st.integers(0, 2000)), seed=st.integers(0, 99))
    def test_a_sample_cut_out_anywhere_has_nothing_wrong(self, cut, seed):
        first, last = sorted(cut)
        found = shares(generate(6, seed)[first:last])
        assert found.documents == found.parsed == found.fitting

    def test_what_both_ends_cut_off_is_left_out_or_counted(self):
        whole = written(ORDER)
        text = whole[40:] + whole + whole + whole[:-20]
        assert shares(text) == Shares(2, 2, 2)
        assert shares(text, complete_only=False) == Shares(4, 2, 2)

    @pytest.mark.parametrize("end", ["", "\n", "\n\n"])
    def test_a_last_document_counts_once_its_closing_line_is_there(self, end):
        whole = written(ORDER).rstrip("\n")
        assert shares(whole + end) == Shares(1, 1, 1)
        assert shares(whole[:-1] + end) == Shares(0, 0, 0)

    def test_a_brace_that_closes_something_inside_does_not_end_a_document(self):
        whole = written(ORDER)
        inside = whole[: whole.index(" },\n") + 2] + "\n"
        assert shares(whole + inside) == Shares(1, 1, 1)

    def test_what_stands_between_two_documents_counts_against_the_first(self):
        whole = written(ORDER)
        assert shares(whole + "]\n" + whole) == Shares(2, 1, 1)
        assert shares(whole + "\n \n" + whole) == Shares(2, 2, 2)

    @pytest.mark.parametrize("text", ["", "\n", "\n\n \t\n", "null", "no brace\nat all", "}\n]\n"])
    def test_a_text_without_a_document_has_none(self, text):
        found = shares(text)
        assert found == Shares(0, 0, 0)
        assert (found.parse, found.fit) == (0.0, 0.0)

    def test_with_the_ends_any_text_is_a_document(self):
        assert shares("null", complete_only=False) == Shares(1, 1, 0)
        assert shares("nul", complete_only=False) == Shares(1, 0, 0)
        assert shares(" \n", complete_only=False) == Shares(0, 0, 0)

    @pytest.mark.parametrize(
        "value",
        ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000, "9" * 100_000, "\udc80"],
        ids=["arrays", "objects", "closed", "digits", "surrogate"],
    )
    def test_hostile_text_is_no_json(self, value):
        assert shares('{\n "order": ' + value + "\n}\n" + written(ORDER)) == Shares(2, 1, 1)

    def test_lone_surrogates_and_huge_numbers_in_json_do_not_fit(self):
        for value in ('"\\ud800"', '"\ud800"', "1e999", "-" + "9" * 4000, "0." + "1" * 50_000):
            assert shares('{\n "order": ' + value + "\n}\n") == Shares(1, 1, 0)

    def test_every_depth_that_python_reads_is_only_unfit(self):
        """Some can be read and not be printed, which a validator does."""
        limit = sys.getrecursionlimit()
        for levels in itertools.chain(range(1, 40), range(limit - 200, limit + 50, 7)):
            deep = "[" * levels + "]" * levels
            for inner in (deep, f'[{deep}, {deep}, "tin"]'):
                assert shares(f'{{\n "items": {inner}\n}}\n').fitting == 0

    @given(st.text(alphabet='{}[]:,"\\\n 0e-.tN', max_size=60))
    @settings(max_examples=300)
    def test_no_text_makes_it_fail(self, text):
        for complete_only in (True, False):
            found = shares(text, complete_only)
            assert found.documents >= found.parsed >= found.fitting >= 0

    @given(st.text(alphabet="{}[] \n", max_size=60))
    def test_pieces_put_together_are_the_text(self, text):
        kept = "".join(documents(text, complete_only=False))
        assert text.replace("\n", "").replace(" ", "") == kept.replace("\n", "").replace(" ", "")

    def test_the_validator_is_loaded_by_the_first_count_alone(self):
        assert json_documents._validator() is json_documents._validator()


def test_a_document_that_never_ends_counts():
    """Left out as cut off, it would make a network that runs away look faultless."""
    good = generate(3, 0)
    assert shares(good + '{\n "order": 1,\n').documents == 3
    assert shares(good + "{\n" + ' "order": 1,\n' * 200) == Shares(4, 3, 3)
