"""``scratchnet data``: the list, one of them, and the analysis of the small one."""

import importlib.util
import json

import pytest

from scratchnet import datasets
from scratchnet.datasets import DATASETS

ROWS = "5,1,1,1,2,?,3,1,1,0\n8,10,10,8,7,10,9,7,1,1\n5,1,1,1,2,?,3,1,1,0\n"
needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed"
)


@pytest.fixture(autouse=True)
def own_places(monkeypatch, tmp_path):
    monkeypatch.delenv("SCRATCHNET_DATA", raising=False)
    monkeypatch.setattr(datasets, "cache_folder", lambda: tmp_path / "cache")


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


class TestList:
    def test_table(self, scratchnet):
        result = scratchnet("data")
        assert result.exit_code == 0
        lines = {line.split()[0]: line for line in result.stdout.splitlines() if line}
        assert set(DATASETS) <= set(lines)
        assert lines["wisconsin"].rstrip().endswith("14 kB  package")
        assert lines["nietzsche"].rstrip().endswith("601 kB  to be downloaded")
        assert lines["babi"].rstrip().endswith("3.0 MB  not found")

    def test_json(self, scratchnet):
        entries = json.loads(scratchnet("data", "--json").stdout)
        assert [entry["name"] for entry in entries] == list(DATASETS)
        assert entries[0]["found"] == str(datasets.path("wisconsin"))
        assert entries[0]["place"] == "package"
        assert entries[3]["found"] is None


class TestOne:
    @pytest.mark.shared_data
    def test_description(self, scratchnet, monkeypatch, request):
        monkeypatch.undo()
        path = request.getfixturevalue("shared_file")("nietzsche.txt")
        result = scratchnet("data", "nietzsche")
        assert result.exit_code == 0
        assert str(path) in result.stdout
        assert f"{DATASETS['nietzsche'].sha256} (verified)" in result.stdout
        assert json.loads(scratchnet("data", "nietzsche", "--json").stdout)["found"] == str(path)

    def test_unknown(self, refused):
        assert refused("data", "wisconson") == (
            "scratchnet: data set: expected one of wisconsin, wisconsin-train, wisconsin-test, "
            "nietzsche, shakespeare, imdb, imdb-keras, imdb-words, babi, got 'wisconson'. "
            "Did you mean wisconsin?"
        )

    def test_not_found(self, refused):
        assert refused("data", "babi") == (
            "scratchnet: babi_tasks_1-20_v1-2_en.tar.gz: not found, and there is no address to "
            "download it from. Put it, under that name, into a folder, and set SCRATCHNET_DATA "
            "to the folder."
        )

    def test_not_found_names_no_option_of_another_command(self, refused):
        assert "--train-csv" not in refused("data", "wisconsin-train")

    @pytest.mark.parametrize("words", [["--csv", "rows.csv"], ["nietzsche", "--out", "pictures"]])
    def test_options_of_wisconsin_alone(self, refused, words):
        line = refused("data", *words)
        assert line.startswith("scratchnet: --csv, --out: expected data set wisconsin with them")


class TestWisconsin:
    def test_json(self, scratchnet, tmp_path):
        result = scratchnet("data", "wisconsin", "--json")
        assert result.exit_code == 0
        analysis = json.loads(result.stdout)
        assert analysis["rows"] == 699
        assert analysis["balance"] == [458, 241]
        assert analysis["statistics"]["bare_nuclei"]["missing"] == 16
        assert analysis["histograms"]["mitoses"][0][0] == 445
        assert analysis["pictures"] is None
        assert list((tmp_path / "here").iterdir()) == []

    def test_json_of_own_file(self, scratchnet, rows):
        analysis = json.loads(scratchnet("data", "wisconsin", "--csv", rows, "--json").stdout)
        assert analysis["file"] == str(rows)
        assert analysis["rows"] == 3
        assert analysis["repeated"] == 1
        assert analysis["statistics"]["bare_nuclei"]["std"] is None

    @needs_matplotlib
    @pytest.mark.parametrize("value", ["10000000", "1e15", "-1e12"])
    def test_one_huge_value_is_counted_and_not_drawn(self, scratchnet, rows, value):
        rows.write_text(ROWS + f"{value},1,1,1,2,1,3,1,1,0\n")
        result = scratchnet("data", "wisconsin", "--csv", rows, "--json", "--out", "pictures")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["outside"] == 1

    def test_a_single_record_is_one(self, scratchnet, rows):
        rows.write_text("5,1,1,1,2,1,3,1,1,0\n")
        result = scratchnet("data", "wisconsin", "--csv", rows)
        assert "rows.csv: 1 record of nine" in result.stdout

    @needs_matplotlib
    def test_report_and_pictures(self, scratchnet, tmp_path):
        result = scratchnet("data", "wisconsin")
        assert result.exit_code == 0, result.output
        for said in ("699 records", "458  benign, 65.5%", "bare nuclei: 16", "+3.56", "445 ██"):
            assert said in result.stdout
        picture = tmp_path / "here/wisconsin-data/histograms.png"
        assert "Histograms drawn: wisconsin-data/histograms.png" in result.stdout
        assert picture.read_bytes().startswith(b"\x89PNG")

    @needs_matplotlib
    def test_pictures_elsewhere(self, scratchnet, tmp_path, rows):
        out = tmp_path / "a folder/pictures"
        result = scratchnet("data", "wisconsin", "--csv", rows, "--out", out)
        assert result.exit_code == 0, result.output
        assert [path.name for path in out.iterdir()] == ["histograms.png"]
        assert list((tmp_path / "here").iterdir()) == []

    @pytest.mark.usefixtures("without_matplotlib")
    def test_without_matplotlib(self, scratchnet, tmp_path):
        result = scratchnet("data", "wisconsin")
        assert result.exit_code == 0
        assert 'pip install "scratchnet[plots]"' in result.stdout
        assert list((tmp_path / "here").iterdir()) == []

    @pytest.mark.usefixtures("without_matplotlib")
    def test_pictures_asked_for_without_matplotlib(self, scratchnet):
        result = scratchnet("data", "wisconsin", "--out", "pictures")
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert 'pip install "scratchnet[plots]"' in line

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (
                "",
                ": the file is empty. Expected rows of 10 columns: clump_thickness, "
                "cell_size_uniformity, cell_shape_uniformity, marginal_adhesion, "
                "epithelial_cell_size, bare_nuclei, bland_chromatin, normal_nucleoli, mitoses, "
                "malignant.",
            ),
            (
                ROWS + "1,2,3\n",
                ", row 4: expected 10 cells like the rows above, got 3. "
                "Give every row the same columns.",
            ),
            (
                ROWS + "1,2,3,4,x,6,7,8,9,0\n",
                ", row 4, column 5 (epithelial_cell_size): expected a number, got 'x'. "
                "Write ? for a missing value.",
            ),
            (
                ROWS + "1,2,3,4,inf,6,7,8,9,0\n",
                ", row 4, column 5 (epithelial_cell_size): expected a finite number, got 'inf'. "
                "Write ? for a missing value.",
            ),
            (
                ROWS + "1,2,3,4,5,6,7,8,9,4\n",
                ", row 4, column 10 (malignant): expected class 0 or 1, got '4'. "
                "Write each row's class as 0 or 1.",
            ),
            (
                "1,2,3,4,5,6,7,8,9\n",
                ", row 1: expected 10 columns (clump_thickness, cell_size_uniformity, "
                "cell_shape_uniformity, marginal_adhesion, epithelial_cell_size, bare_nuclei, "
                "bland_chromatin, normal_nucleoli, mitoses, malignant), got 9. "
                "Add the missing column.",
            ),
            (
                "clump,size,shape,adhesion,cell,nuclei,chromatin,nucleoli,mitoses,class\n" + ROWS,
                ", row 1: expected numbers, got 'clump' and other words. Remove the header line.",
            ),
        ],
        ids=["empty", "ragged", "not numeric", "infinite", "class", "missing column", "header"],
    )
    def test_bad_file(self, refused, rows, content, said):
        rows.write_text(content)
        assert refused("data", "wisconsin", "--csv", rows) == f"scratchnet: {rows}{said}"

    def test_not_utf8(self, refused, rows):
        rows.write_bytes(b"\x89PNG\r\n\x1a\n")
        assert refused("data", "wisconsin", "--csv", rows) == (
            f"scratchnet: {rows}: expected a CSV file in UTF-8, got other bytes. "
            "Save it as CSV UTF-8."
        )

    def test_missing_file(self, refused):
        assert refused("data", "wisconsin", "--csv", "no.csv") == (
            "scratchnet: no.csv: no such file. Check the path."
        )

    def test_a_folder(self, refused, tmp_path):
        assert refused("data", "wisconsin", "--csv", tmp_path) == (
            f"scratchnet: {tmp_path}: Is a directory. Name a file."
        )

    @needs_matplotlib
    def test_markup_in_a_file_name_is_not_obeyed(self, scratchnet, tmp_path):
        path = tmp_path / "[bold]:smile:[red].csv"
        path.write_text(ROWS)
        out = tmp_path / "[bold]:smile:[red]"
        result = scratchnet("data", "wisconsin", "--csv", path, "--out", out)
        assert result.exit_code == 0, result.output
        assert "[bold]:smile:[red].csv: 3 records" in result.stdout
        assert f"Histograms drawn: {out}/histograms.png" in result.stdout
