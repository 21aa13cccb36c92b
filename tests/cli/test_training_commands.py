"""compare, train, evaluate and predict as commands."""

import json

import pytest

WRONG_ROW = "5,1,1,1,2,1,3,1,1\n5,1,x,1,2,1,3,1,1\n"


@pytest.fixture
def run(scratchnet):
    """Train wisconsin for two epochs; return the command runner."""
    result = scratchnet("train", "wisconsin", "--epochs", 2, "--out", "run", "--json")
    assert result.exit_code == 0, result.output
    return scratchnet


def test_train_says_what_it_did_and_where_it_is(scratchnet):
    result = scratchnet("train", "wisconsin", "--epochs", 2)
    assert result.exit_code == 0, result.output
    assert "525 records to train on" in result.output
    assert "accuracy" in result.output
    assert "runs/wisconsin-1" in result.output


def test_evaluate_repeats_what_train_found(run, tmp_path):
    trained = json.loads((tmp_path / "here/run/run.json").read_text())["results"]
    found = json.loads(run("evaluate", "run", "--json").stdout)
    del trained["training"]
    assert {key: found[key] for key in trained} == trained
    assert "174 held-out rows" in run("evaluate", "run").output


def test_predict_takes_rows_with_and_without_their_class(run, tmp_path):
    (tmp_path / "here/rows.csv").write_text("5,1,1,1,2,1,3,1,1\n8,10,10,8,7,?,9,7,1\n")
    rows = json.loads(run("predict", "run", "rows.csv", "--json").stdout)
    assert [row["class"] for row in rows] == [[0], [1]]
    assert 0 < rows[0]["malignant"] < 0.5 < rows[1]["malignant"] < 1
    (tmp_path / "here/rows.csv").write_text("5,1,1,1,2,1,3,1,1,1\n8,10,10,8,7,?,9,7,1,0\n")
    assert json.loads(run("predict", "run", "rows.csv", "--json").stdout) == rows
    assert "malignant" in run("predict", "run", "rows.csv").output


def test_both_engines_leave_runs_that_the_same_commands_read(scratchnet, tmp_path):
    keras = scratchnet(
        "train", "wisconsin", "--engine", "keras", "--epochs", 2, "--out", "k", "--json"
    )
    assert keras.exit_code == 0, keras.output
    assert (tmp_path / "here/k/model.keras").exists()
    found = json.loads(scratchnet("evaluate", "k", "--json").stdout)
    said = json.loads(keras.stdout)
    assert found["loss"] == said["test_loss"]
    assert len(said["loss"]) == len(said["val_accuracy"]) == 2
    assert found["engine"] == "keras"


def test_perceptron_learns_two_gates_and_says_why_not_the_third(scratchnet):
    result = scratchnet("train", "perceptron", "--out", "p")
    assert result.exit_code == 0, result.output
    assert "NOT learned" in result.output
    assert "no line separates" in result.output
    scores = json.loads(scratchnet("evaluate", "p", "--json").stdout)["scores"]
    assert scores["AND"]["accuracy"] == scores["OR"]["accuracy"] == 1 > scores["XOR"]["accuracy"]


def test_backprop_prints_the_published_figures_and_the_wrong_one(scratchnet):
    result = scratchnet("train", "backprop", "--epochs", 1)
    assert result.exit_code == 0, result.output
    published = ("0.298371109", "0.35891648", "0.149780716", "0.291027924", "0.26")
    for figure in (*published, "0.291027774"):
        assert figure in result.output


@pytest.mark.slow
def test_compare_agrees_and_writes_its_report(scratchnet, tmp_path):
    result = scratchnet("compare", "backprop", "--epochs", 3)
    assert result.exit_code == 0, result.output
    assert "The two engines agree" in result.output
    assert (tmp_path / "here/reports/backprop/report.html").exists()


@pytest.mark.slow
def test_compare_prints_json_for_programs(scratchnet):
    result = scratchnet("compare", "wisconsin", "--epochs", 1, "--json", "--dtype", "float64")
    found = json.loads(result.stdout)
    assert found["ok"] is True
    assert found["report"] == "reports/wisconsin/report.html"
    assert found["dtype"] == "float64"


@pytest.mark.slow
def test_compare_ends_with_1_where_the_engines_differ(scratchnet, monkeypatch):
    from keras_impl.parity import compare

    monkeypatch.setitem(compare.GRADIENT_TOLERANCE, "float64", 1e-30)
    result = scratchnet("compare", "wisconsin", "--epochs", 1)
    assert result.exit_code == 1
    assert "do NOT agree" in result.output
    assert "MISS" in result.output


@pytest.mark.parametrize("folder", ["file.txt", "file.txt/below"])
def test_compare_looks_at_its_folder_before_the_work(scratchnet, tmp_path, folder):
    (tmp_path / "here/file.txt").write_text("kept")
    result = scratchnet("compare", "wisconsin", "--out", folder)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "--out: expected a folder to write to" in line
    assert "is a file" in line


def test_published_repeats_the_tutorials_program(scratchnet, shared_file):
    shared_file("wisconsin/train.csv")
    result = scratchnet("train", "wisconsin", "--published", "--out", "p")
    assert result.exit_code == 0, result.output
    assert "the first 10 of 497 and the first 10 of 151 rows are read" in result.output
    assert "648 rows" in result.output
    scores = json.loads(scratchnet("evaluate", "p", "--json").stdout)["scores"]["malignant"]
    assert scores["confusion"] == [[3, 1], [0, 6]]  # one false positive, as in the published list


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "wisconsn"], "Did you mean wisconsin?"),
        (["train", "wisconsin", "--engine", "torch"], "--engine: expected one of scratch, keras"),
        (["train", "perceptron", "--engine", "keras"], "has no gradient"),
        (["compare", "perceptron"], "has no gradient"),
        (["train", "backprop", "--published"], "--published: backprop has no such option"),
        (["train", "wisconsin", "--test-csv", "t.csv"], "expected a train_csv beside it"),
        (["train", "wisconsin", "--train-csv", "no.csv"], "no.csv: no such file"),
        (["train", "wisconsin", "--dtype", "float16"], "float16"),
        (["train", "wisconsin", "--epochs", "0"], "--epochs"),
        (["train", "wisconsin", "--seed", "-1"], "--seed"),
        (["evaluate", "nothing"], "no run here"),
        (["predict", "nothing", "rows.csv"], "no run here"),
    ],
)
def test_bad_input_is_one_line(refused, words, said):
    assert said in refused(*words)


def test_bad_cell_in_rows_to_predict_is_named(run, tmp_path):
    (tmp_path / "here/rows.csv").write_text(WRONG_ROW)
    result = run("predict", "run", "rows.csv")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "rows.csv" in line
    assert "row 2" in line
    assert "cell_shape_uniformity" in line


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x05\x06" + 18 * b"\0"])
def test_a_broken_model_is_one_line(run, tmp_path, content):
    (tmp_path / "here/run/model.npz").write_bytes(content)
    result = run("evaluate", "run")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "model.npz" in line


def test_a_diverging_training_ends_with_one_line(scratchnet, tmp_path, monkeypatch):
    from scratchnet.experiments import wisconsin
    from scratchnet.optimizers import SGD

    monkeypatch.setattr(wisconsin, "RMSprop", lambda rate: SGD(1e300))
    result = scratchnet("train", "wisconsin", "--epochs", 3, "--dtype", "float64", "--out", "run")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "epoch 1, batch" in line
    assert "layer 'dense" in line
