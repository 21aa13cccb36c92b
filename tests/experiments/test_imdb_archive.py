"""Reading the reviews' files, of which one kind is pickled: what is right, wrong, and hostile."""

import builtins
import dataclasses
import io
import os
import pickle
import re
import struct
import zipfile

import numpy as np
import pytest

from scratchnet import datasets
from scratchnet.datasets import DATASETS
from scratchnet.errors import DataError
from scratchnet.experiments import imdb_archive
from scratchnet.experiments.imdb_archive import (
    read_archive,
    read_flat,
    read_reviews,
    write_flat,
)
from scratchnet.experiments.imdb_pickles import read_lists
from tests.experiments.imdb_files import (
    COUNTS,
    array_of_lists,
    npy_of_pickle,
    replace_member,
    small_labels,
    small_reviews,
    write_archive,
)


@pytest.fixture
def archive(tmp_path):
    return write_archive(tmp_path / "imdb.npz")


def assert_same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        for field in dataclasses.fields(one):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


class TestRight:
    def test_as_it_was_written(self, archive):
        for part, reviews in zip(COUNTS, read_archive(archive), strict=True):
            lists = small_reviews()[part]
            assert len(reviews) == COUNTS[part]
            assert [reviews[n].tolist() for n in range(len(reviews))] == lists
            assert reviews.lengths.tolist() == list(map(len, lists))
            np.testing.assert_array_equal(reviews.labels, small_labels()[part])
            kinds = (reviews.tokens.dtype, reviews.offsets.dtype, reviews.labels.dtype)
            assert kinds == ("int32", "int64", "int8")

    @pytest.mark.parametrize("protocol", [2, 3, 4, 5])
    @pytest.mark.parametrize("module", [b"numpy.core", b"numpy._core"])
    def test_whichever_protocol_and_numpy_wrote_it(self, archive, protocol, module):
        """Protocol 2 as Python 2 wrote it: text and bytes were the same there."""
        lists = small_reviews()["train"]
        content = pickle.dumps(array_of_lists(lists), protocol)
        if protocol < 4:
            content = content.replace(b"numpy._core", module)
        if protocol == 2:
            as_python_3 = content[content.index(b"c_codecs") : content.index(b"\x87q")]
            content = content.replace(as_python_3, b"U\x01b")
        replace_member(archive, "x_train.npy", npy_of_pickle(content))
        train, _ = read_archive(archive)
        assert [train[n].tolist() for n in range(len(train))] == lists

    def test_numbers_of_every_size(self):
        lists = [[0, 255, 256, 65535, 65536], [2**31 - 1, -1, 2**40, -(2**70)], []]
        for protocol in (3, 4):
            assert read_lists(pickle.dumps(array_of_lists(lists), protocol), 3) == lists

    def test_flat_and_back(self, archive, tmp_path):
        reviews = read_archive(archive)
        write_flat(tmp_path / "flat.npz", reviews)
        assert_same(read_flat(tmp_path / "flat.npz"), reviews)

    def test_in_another_order(self, archive):
        train, _ = read_archive(archive)
        order = np.random.default_rng(3).permutation(len(train))
        other = train.ordered(order)
        assert [other[n].tolist() for n in range(5)] == [train[n].tolist() for n in order[:5]]
        np.testing.assert_array_equal(other.labels, train.labels[order])
        assert other.offsets[-1] == len(train.tokens)


class Calls:
    """Pickled, it is a call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def hostile(marker):
    """Calls that leave a file behind where they are run."""
    write = f"open({str(marker)!r}, 'w').close()"
    return {
        "posix.system": Calls(os.system, f"touch {marker}"),
        "builtins.eval": Calls(builtins.eval, write),
        "builtins.exec": Calls(builtins.exec, write),
        "posix.mkdir": Calls(os.mkdir, str(marker)),
        "numpy.savetxt": Calls(np.savetxt, str(marker), [1.0]),
        "numpy.save": Calls(np.save, f"{marker}.npy", [1.0]),
    }


NAMES = list(hostile(""))


class TestHostile:
    @pytest.fixture
    def marker(self, tmp_path):
        return tmp_path / "it-ran"

    @staticmethod
    def ran(marker):
        return any(marker.parent.glob("it-ran*"))

    @pytest.mark.parametrize("name", NAMES)
    def test_the_calls_would_run(self, marker, name):
        """What is refused below is refused for a reason."""
        content = pickle.dumps(array_of_lists([[1], hostile(marker)[name]]))
        pickle.loads(content)  # noqa: S301
        assert self.ran(marker)

    @pytest.mark.parametrize("protocol", [2, 4])
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("place", ["instead", "as a list", "in a list", "as the shape"])
    def test_calls_are_refused_before_they_run(self, archive, marker, name, protocol, place):
        call, lists = hostile(marker)[name], small_reviews()["train"]
        what = {
            "instead": call,
            "as a list": array_of_lists([*lists[:-1], call]),
            "in a list": array_of_lists([*lists[:-1], [3, call, 4]]),
            "as the shape": Calls(np.dtype, call),
        }[place]
        content = pickle.dumps(what, protocol)
        replace_member(archive, "x_train.npy", npy_of_pickle(content))
        with pytest.raises(DataError) as caught:
            read_archive(archive)
        message = str(caught.value)
        assert not self.ran(marker)
        assert message.startswith(f"{archive}: x_train.npy: expected a pickle with ")
        assert message.endswith("; nothing was run. Download it anew.")
        if protocol == 4:  # in 2, Python 3 writes bytes as a call too, which is refused first
            assert f".{name.rpartition('.')[2]};" in message

    @pytest.mark.parametrize(
        ("what", "got"),
        [
            (np.arange(3), "numpy.*|BINBYTES|another"),
            ([[1, 2], [3]], "list"),
            (array_of_lists([[1], [2.5]]), "BINFLOAT"),
            (array_of_lists([[1], [True]]), "something else in them"),
            (array_of_lists([[1], [None]]), "something else in them"),
            (array_of_lists([[1], ["a"]]), "something else in them"),
            (array_of_lists([[1], [[2]]]), "something else in them"),
            (array_of_lists([[1], (2, 3)]), "something else among them"),
            (array_of_lists([[1], "ab"]), "something else among them"),
            (array_of_lists([[1], {1: 2}]), "EMPTY_DICT"),
            (array_of_lists([[1], {1, 2}]), "EMPTY_SET"),
            (array_of_lists([[1], np.arange(2)]), "something else among them|BINBYTES"),
            (array_of_lists([[1], np.dtype("int8")]), "something else among them"),
            (array_of_lists([[1], [np.int64(3)]]), "scalar"),
            (array_of_lists([[1], [np.ndarray]]), "something else in them"),
            (array_of_lists([[1], [2], [3]]), "3 announced"),
            (array_of_lists([[[1]], [[2]]]).reshape(2, 1), "another"),
            (array_of_lists([[1], [object()]]), "object|copyreg"),
        ],
    )
    def test_what_is_no_array_of_lists(self, what, got):
        with pytest.raises(DataError, match=f"got [^;]*({got})") as caught:
            read_lists(pickle.dumps(what, 4), 2)
        assert "\n" not in str(caught.value)

    def test_a_list_that_holds_itself(self):
        one = [1]
        one.append(one)
        with pytest.raises(DataError, match="something else in them"):
            read_lists(pickle.dumps(array_of_lists([one, [2]])), 2)

    def test_a_list_that_is_referred_to_again_and_again(self):
        """Ten thousand times the same list of a thousand: ten million numbers from 40 kB."""
        content = pickle.dumps(array_of_lists([list(range(1000))] * 10_000))
        assert len(content) < 50_000
        with pytest.raises(DataError, match="referred to repeatedly"):
            read_lists(content, 10_000)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b".",
            b"\x80\x04.",
            b"\x80\x04]",
            b"\x80\x04e.",
            b"\x80\x04]a.",
            b"\x80\x04K\x01K\x02a.",
            b"\x80\x04h\x07.",
            b"\x80\x04R.",
            b"\x80\x04K\x01K\x02R.",
            b"\x80\x04K\x01K\x02b.",
            b"\x80\x04]]\x93.",
            b"\x80\x04cnumpy\n.",
            b"\x80\x04]r\xff\xff\xff\x7f0.",  # a memo of two thousand million places
            b"\x80\x04\x8e" + struct.pack("<Q", 2**60) + b"x.",  # that many bytes
            b"\x80\x04\x8d" + struct.pack("<Q", 2**63 + 1) + b"x.",
            b"\x80\x04B\xff\xff\xff\x7fx.",
            b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"].",
            b"\x80\x04P7\n.",
            b"\x80\x04\x82\x01.",
            b"\x80\x04\xff.",
            pickle.dumps(array_of_lists([[1], [2]]))[:-9],
            pickle.dumps(array_of_lists([[1], [2]])).replace(b"O8", b"i8"),
        ],
        ids=repr,
    )
    def test_damaged_and_oversized(self, content):
        with pytest.raises(DataError, match=r"^expected a (whole )?pickle") as caught:
            read_lists(content, 2)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("flip", range(0, 300, 7))
    def test_a_flipped_byte_is_refused_or_another_number(self, flip):
        content = bytearray(pickle.dumps(array_of_lists([[1, 2, 3] * 9, [4, 500, 6]])))
        content[flip % len(content)] ^= 0x55
        try:
            lists = read_lists(bytes(content), 2)
        except DataError:
            return
        assert all(type(number) is int for one in lists for number in one)


class TestWrong:
    def refused(self, path, read=read_archive):
        with pytest.raises(DataError) as caught:
            read(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: expected ")
        assert message.endswith(". Remove it, or use another copy.")
        assert "\n" not in message
        return message

    def test_no_file(self, tmp_path):
        assert "got none" in self.refused(tmp_path / "none.npz")

    def test_no_archive(self, tmp_path):
        (tmp_path / "a.npz").write_bytes(b"PK this is not one")
        assert "a whole archive" in self.refused(tmp_path / "a.npz")

    def test_cut_short(self, archive):
        archive.write_bytes(archive.read_bytes()[:-300])
        assert "a whole archive" in self.refused(archive)

    def test_a_damaged_member(self, archive):
        content = bytearray(archive.read_bytes())
        content[content.index(b"NUMPY") + 700] ^= 1
        archive.write_bytes(content)
        assert "Bad CRC-32" in self.refused(archive)

    def test_members_missing(self, tmp_path):
        np.savez(tmp_path / "a.npz", x_train=np.arange(3))
        assert "no y_train.npy, x_test.npy, y_test.npy" in self.refused(tmp_path / "a.npz")
        assert "no train_tokens.npy" in self.refused(tmp_path / "a.npz", read_flat)

    def test_a_member_too_large(self, archive, monkeypatch):
        monkeypatch.setattr(imdb_archive, "MEMBER_LIMIT", 700)
        assert "at most 700 bytes" in self.refused(archive)

    def test_a_small_file_that_grows(self, archive):
        """Forty million zeros in forty thousand bytes: not expanded."""
        with zipfile.ZipFile(archive) as old:
            members = {name: old.read(name) for name in old.namelist()}
        members["x_test.npy"] = bytes(40_000_000)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as new:
            for name, content in members.items():
                new.writestr(name, content)
        assert archive.stat().st_size < 100_000
        assert "got 40,000,000" in self.refused(archive)

    def test_a_header_that_claims_too_much(self, archive):
        content = pickle.dumps(array_of_lists(small_reviews()["train"]))
        replace_member(archive, "x_train.npy", npy_of_pickle(content, 10**12))
        with pytest.raises(DataError, match="expected a pickle with 1000000000000 lists, got 41"):
            read_archive(archive)

    def test_a_header_of_numbers_that_claims_too_much(self, archive):
        content = io.BytesIO()
        header = {"descr": "<i8", "fortran_order": False, "shape": (10**15,)}
        np.lib.format.write_array_header_1_0(content, header)
        replace_member(archive, "y_train.npy", content.getvalue() + bytes(41 * 8))
        assert "y_train.npy of 1,000,000,000,000,000 elements" in self.refused(archive)

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({"y_train": np.zeros(40, int)}, "41 and 40 labels"),
            ({"y_train": np.full(41, 2)}, "labels of 0 and 1, got 2 to 2"),
            ({"y_train": np.zeros(41)}, "y_train.npy of whole numbers, got dtype float64"),
            ({"y_train": np.zeros((41, 1), int)}, "y_train.npy with one axis"),
            ({"y_train": array_of_lists([[1]] * 41)}, "y_train.npy of whole numbers"),
            ({"x_test": np.arange(23)}, "x_test.npy of lists, got dtype int64"),
            ({"x_test": array_of_lists([[0]] * 23)}, "words ranked from 1 .*, got 0 to 0"),
            ({"x_test": array_of_lists([[10**7]] * 23)}, "words ranked from 1"),
            ({"x_test": array_of_lists([[2**33]] * 23)}, "beyond 32 bits"),
            ({"x_test": array_of_lists([[1]] * 22 + [[]])}, "offsets that rise from 0 to 22"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_arrays_that_do_not_fit(self, tmp_path, changed, expected):
        path = write_archive(tmp_path / "imdb.npz", **changed)
        assert re.search(expected, self.refused(path))

    @pytest.mark.parametrize(
        ("array", "content", "expected"),
        [
            ("train_offsets", [0, 2, 2, 5], "offsets that rise from 0 to 5"),
            ("train_offsets", [1, 2, 3, 5], "offsets that rise"),
            ("train_offsets", [0, 2, 3, 4], "offsets that rise"),
            ("train_offsets", [0, 4, 3, 5], "offsets that rise"),
            ("train_offsets", [0, 2, 5], "a label each"),
            ("train_tokens", [1, 2, 3, 4, -5], "ranked from 1"),
            ("train_tokens", [1.0, 2, 3, 4, 5], "of whole numbers"),
            ("train_labels", [0, 1, -1], "labels of 0 and 1"),
            ("train_labels", [], "."),
        ],
    )
    def test_flat_arrays_that_do_not_fit(self, tmp_path, array, content, expected):
        arrays = {}
        for part in ("train", "test"):
            arrays |= {f"{part}_tokens": [1, 2, 3, 4, 5], f"{part}_offsets": [0, 2, 3, 5]}
            arrays[f"{part}_labels"] = [0, 1, 0]
        path = tmp_path / "flat.npz"
        np.savez(path, **arrays)
        read_flat(path)
        np.savez(path, **{**arrays, array: content})
        assert re.search(expected, self.refused(path, read_flat))


class TestPlaces:
    """The flat file first, then what was converted, then Keras's archive, its SHA-256 first."""

    @pytest.fixture(autouse=True)
    def places(self, monkeypatch, tmp_path):
        self.named, self.cache = tmp_path / "named", tmp_path / "cache"
        self.named.mkdir()
        monkeypatch.setenv("SCRATCHNET_DATA", str(self.named))
        monkeypatch.setattr(datasets, "cache_folder", lambda: self.cache)
        self.patch = monkeypatch

    def record(self, name, path):
        entry = dataclasses.replace(DATASETS[name], sha256=datasets.file_sha256(path))
        self.patch.setitem(DATASETS, name, entry)

    def test_keras_s_archive_is_converted_once(self):
        path = write_archive(self.named / "imdb.npz")
        self.record("imdb-keras", path)
        first = read_reviews()
        assert [file.name for file in self.cache.iterdir()] == [imdb_archive.CONVERTED]
        path.unlink()
        self.patch.setattr(imdb_archive, "read_archive", None)
        assert_same(read_reviews(), first)

    def test_another_checksum_is_refused_before_it_is_opened(self):
        write_archive(self.named / "imdb.npz")
        self.patch.setattr(imdb_archive, "read_archive", None)
        with pytest.raises(DataError, match=r"imdb\.npz: expected the imdb-keras data "):
            read_reviews()
        assert not self.cache.exists()

    def test_a_damaged_conversion_is_made_anew(self):
        self.record("imdb-keras", write_archive(self.named / "imdb.npz"))
        first = read_reviews()
        converted = self.cache / imdb_archive.CONVERTED
        whole = converted.read_bytes()
        converted.write_bytes(whole[:-500])
        assert_same(read_reviews(), first)
        assert len(converted.read_bytes()) == len(whole)

    def test_a_cache_that_cannot_be_written(self):
        self.record("imdb-keras", write_archive(self.named / "imdb.npz"))
        self.cache.write_text("a file where a folder should be")
        assert len(read_reviews()[0]) == COUNTS["train"]

    def test_the_flat_file_comes_first(self, tmp_path):
        self.record("imdb-keras", write_archive(self.named / "imdb.npz"))
        other = write_archive(tmp_path / "other.npz", x_train=array_of_lists([[7]] * 41))
        write_flat(self.named / "imdb_flat.npz", read_archive(other))
        self.record("imdb", self.named / "imdb_flat.npz")
        assert read_reviews()[0].tokens.tolist() == [7] * 41
