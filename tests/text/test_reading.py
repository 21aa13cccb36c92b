"""Text files of every kind, and what is no text file."""

import codecs
import hashlib

import pytest

from scratchnet.errors import DataError, InputError
from scratchnet.text import Report, read_texts, reading

TEXT = "Größe\r\n\tnaïve – 🙂\nlast\rline"


def written(folder, content: bytes, name: str = "a.txt"):
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_file_is_read_as_it_is(tmp_path):
    content = TEXT.encode()
    path = written(tmp_path, content)
    text, reports = read_texts(path)
    assert text == TEXT
    digest = hashlib.sha256(content).hexdigest()
    assert reports == [Report(str(path), "utf-8", len(TEXT), 3, digest)]
    assert read_texts(str(path)) == read_texts([path]) == (text, reports)


@pytest.mark.parametrize(
    ("mark", "codec", "reported"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32"),
    ],
)
def test_a_byte_order_mark_says_the_encoding_and_is_no_text(tmp_path, mark, codec, reported):
    path = written(tmp_path, mark + TEXT.encode(codec))
    text, (report,) = read_texts(path)
    assert text == TEXT
    assert report.encoding == reported
    assert report.characters == len(TEXT)
    declared = "utf-8" if codec == "utf-8" else reported
    assert read_texts(path, encoding=declared)[0] == TEXT
    assert read_texts(path, encoding=declared.upper())[0] == TEXT


def test_a_declared_encoding_is_used(tmp_path):
    path = written(tmp_path, "Größe €".encode("cp1252"))
    text, (report,) = read_texts(path, encoding="cp1252")
    assert text == "Größe €"
    assert report.encoding == "cp1252"
    plain = written(tmp_path, b"plain")
    assert read_texts(plain, encoding="UTF8")[1][0].encoding == "utf-8"
    wide = written(tmp_path, TEXT.encode("utf-16-le"))
    assert read_texts(wide, encoding="utf-16-le")[0] == TEXT
    # What is declared holds, even where a mark says otherwise.
    marked = written(tmp_path, codecs.BOM_UTF8 + b"a")
    assert read_texts(marked, encoding="latin-1")[0] == "ï»¿a"


def test_several_files_are_joined_by_a_line_end(tmp_path):
    first = written(tmp_path, b"one\n", "1.txt")
    second = written(tmp_path, codecs.BOM_UTF8 + "zwölf".encode(), "2.txt")
    text, reports = read_texts([first, second, first])
    assert text == "one\n\nzwölf\none\n"
    assert [report.path for report in reports] == [str(first), str(second), str(first)]
    assert [report.characters for report in reports] == [4, 5, 4]
    assert [report.lines for report in reports] == [1, 1, 1]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, "a\r\n"), (2, "a\r\n\n"), (3, "a\r\n\nb"), (4, "a\r\n\nb")]
)
def test_the_first_lines_of_each_file(tmp_path, count, expected):
    content = b"a\r\n\nb"
    path = written(tmp_path, content)
    text, (report, _) = read_texts([path, path], max_lines=count)
    assert text == expected + "\n" + expected
    assert report.lines == min(count, 3)
    assert report.characters == len(expected)
    assert report.sha256 == hashlib.sha256(content).hexdigest()


def test_nietzsche(shared_file):
    text, (report,) = read_texts(shared_file("nietzsche.txt"))
    assert len(text) == report.characters == 600_893
    assert report.encoding == "utf-8"
    assert report.lines == 9_935
    assert report.sha256.startswith("23cf69874ab6")
    few, (short,) = read_texts(shared_file("nietzsche.txt"), max_lines=800)
    assert few == "".join(text.splitlines(keepends=True)[:800])
    assert short.lines == 800
    assert short.sha256 == report.sha256
    latin, _ = read_texts(shared_file("nietzsche.txt"), encoding="latin-1")
    assert len(latin) == 600_901


@pytest.mark.parametrize("content", [b"", codecs.BOM_UTF8, b" \r\n\t\n", codecs.BOM_UTF16_LE])
def test_an_empty_file(tmp_path, content):
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=r"a\.txt: expected a text, got an empty file"):
        read_texts(path)


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        ("Größe".encode("latin-1"), None, "text in utf-8, .* none: 0xf6 at offset 2"),
        (codecs.BOM_UTF8 + b"ab\xffcd", None, "text in utf-8-sig, .* 0xff at offset 5"),
        (codecs.BOM_UTF8 + b"ab\xffcd", "utf8", "0xff at offset 5"),
        (codecs.BOM_UTF16_LE + b"a\0\0\xdcb\0", None, "utf-16, .* 0x00 at offset 4"),
        (codecs.BOM_UTF16_BE + b"\0a\0", None, "utf-16, .* 0x00 at offset 4"),
        (codecs.BOM_UTF32_LE + b"a\0\0\0\xff\xff\xff\0", None, "utf-32, .* 0xff at offset 8"),
        (b"ab\xe2\x82", None, "0xe2 at offset 2"),
        (b"abc\x80", "ascii", "text in ascii, .* 0x80 at offset 3"),
        (b"ab\x81", "cp1252", "0x81 at offset 2"),
        (b"\xed\xa0\x80", None, "0xed at offset 0"),  # half of a surrogate pair
        (b"text\0more", None, "text in utf-8, got a binary file: byte 4 is 0"),
        (b"\x89PNG\r\n\x1a\n\0\0", "latin-1", "iso8859-1, got a binary file: byte 8 is 0"),
        ("ab".encode("utf-16-le"), None, "byte 1 is 0.* UTF-16"),
    ],
)
def test_bytes_that_are_no_text(tmp_path, content, encoding, message):
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read_texts([path], encoding=encoding)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    assert said.endswith(".")


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    good = written(tmp_path, b"text")
    with pytest.raises(DataError, match=r"none\.txt: no such file"):
        read_texts([good, tmp_path / "none.txt"])
    with pytest.raises(DataError, match="cannot be read"):
        read_texts(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_texts("a\0b")
    monkeypatch.setattr(reading, "LARGEST_FILE", 4)
    assert read_texts(good)[0] == "text"
    with pytest.raises(DataError, match="expected 4 bytes at most, got more"):
        read_texts(written(tmp_path, b"text."))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"paths": []}, "at least one file, got none"),
        ({"encoding": "utf-99"}, "encoding to be the name of one, got 'utf-99'"),
        ({"encoding": ""}, "encoding"),
        ({"encoding": "hex"}, "encoding to be the name of one, got 'hex'"),
        ({"encoding": "rot13"}, "encoding"),
        ({"encoding": "undefined"}, "encoding"),
        ({"encoding": "a\0"}, "encoding"),
        ({"encoding": 8}, "encoding to be the name of one, got 8"),
        ({"max_lines": 0}, "max_lines to be a positive integer, got 0"),
        ({"max_lines": -1}, "max_lines"),
    ],
)
def test_arguments_that_are_wrong(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        read_texts(**({"paths": written(tmp_path, b"text")} | arguments))
