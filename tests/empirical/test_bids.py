"""Cohorts from BIDS derivatives: a small tree of files, read back as a cohort; each mistake one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from vbiflow.empirical import read_cohort
from vbiflow.empirical.bids import columns_of_participant, main, make_cohort, participant_columns, read_folders
from vbiflow.empirical.bids_files import BidsFile, parse_name, scan, stated_tr

FILES = {
    "weights": {"suffix": "connectivity", "extension": ".csv"},
    "recording": {"task": "rest", "suffix": "bold", "extension": ".nii.gz"},
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three people, the third without a recording; qsirecon and fmriprep beside each other."""
    for subject in ("01", "02", "03"):
        dwi = tmp_path / "qsirecon" / f"sub-{subject}" / "dwi"
        dwi.mkdir(parents=True)
        (dwi / f"sub-{subject}_atlas-dk_connectivity.csv").write_text("0 1\n1 0\n")
    for subject in ("01", "02"):
        func = tmp_path / "fmriprep" / f"sub-{subject}" / "func"
        func.mkdir(parents=True)
        for task in ("rest", "nback"):
            (func / f"sub-{subject}_task-{task}_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz").touch()
        sidecar = func / f"sub-{subject}_task-rest_space-MNI152NLin6Asym_desc-preproc_bold.json"
        sidecar.write_text(json.dumps({"RepetitionTime": 0.8}))
    (tmp_path / "fmriprep" / "dataset_description.json").write_text("{}")
    return tmp_path


def test_names() -> None:
    file = parse_name(Path("sub-01_ses-a_task-rest_run-1_desc-preproc_bold.nii.gz"))
    assert file is not None and file.entities == {
        "sub": "01", "ses": "a", "task": "rest", "run": "1", "desc": "preproc", "suffix": "bold", "extension": ".nii.gz"
    }  # fmt: skip
    assert parse_name(Path("sub-01.html")) is None


def test_written_cohort_is_read_back(tree: Path, capsys: pytest.CaptureFixture) -> None:
    content = {"folders": [str(tree / "qsirecon"), str(tree / "fmriprep")], "files": FILES, "columns": {"kind": "bold"}}
    (tree / "query.yaml").write_text(yaml.safe_dump(content))
    assert main([str(tree / "query.yaml"), str(tree / "mine.tsv")]) == 0
    assert "sub-03: left out, no file for recording" in capsys.readouterr().out
    cohort = read_cohort(tree / "mine.tsv")
    assert list(cohort) == ["sub-01", "sub-02"]
    assert cohort["sub-02"]["tr"] == "0.8" and cohort["sub-02"]["kind"] == "bold"
    assert cohort["sub-02"]["recording"].endswith("sub-02_task-rest_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz")


def test_key_and_sessions(tree: Path) -> None:
    dwi = tree / "late" / "sub-01" / "ses-2" / "dwi"
    dwi.mkdir(parents=True)
    (dwi / "sub-01_ses-2_connectivity.mat").touch()
    query = {"weights": {"suffix": "connectivity", "extension": ".mat", "key": "sift"}}
    rows, _ = make_cohort(scan([tree / "late"]), query, {})
    assert list(rows) == ["sub-01_ses-2"] and rows["sub-01_ses-2"]["weights"].endswith("connectivity.mat::sift")


def test_mistakes_are_one_line(tree: Path, capsys: pytest.CaptureFixture) -> None:
    files = scan([tree / "qsirecon", tree / "fmriprep"])
    with pytest.raises(ValueError, match=r"sub-01: 2 files for recording; choose one by task-nback, task-rest"):
        make_cohort(files, {**FILES, "recording": {"suffix": "bold", "extension": ".nii.gz"}}, {})
    with pytest.raises(ValueError, match=r"unknown column 'bold'; choose from participant_id, weights"):
        make_cohort(files, {"bold": {}}, {})
    with pytest.raises(ValueError, match=r"nobody has files for weights; correct the entities"):
        make_cohort(files, {"weights": {"suffix": "relmat"}}, {})
    with pytest.raises(ValueError, match=r"none: no such folder"):
        scan([tree / "none"])
    (tree / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty: no file named as BIDS does"):
        scan([tree / "empty"])
    (tree / "query.yaml").write_text("files: {}\nfolder: x\n")
    assert main([str(tree / "query.yaml"), "out.tsv"]) == 1
    assert "write folders, files and columns; found files, folder" in capsys.readouterr().err


@pytest.fixture
def derivatives(tmp_path: Path) -> Path:
    """Two people with a connectome, regional series in two runs and, as a trap, functional connectivity."""
    for pipeline in ("qsirecon", "xcp_d"):
        (tmp_path / pipeline).mkdir()
        description = {"Name": pipeline, "BIDSVersion": "1.9.0", "DatasetType": "derivative"}
        (tmp_path / pipeline / "dataset_description.json").write_text(json.dumps(description))
    (tmp_path / "xcp_d" / "task-rest_timeseries.json").write_text(json.dumps({"RepetitionTime": 2.0}))
    (tmp_path / "xcp_d" / "task-nback_timeseries.json").write_text(json.dumps({"RepetitionTime": 3.0}))
    for subject in ("01", "02"):
        dwi, func = (tmp_path / f"{end[0]}/sub-{subject}/{end[1]}" for end in (("qsirecon", "dwi"), ("xcp_d", "func")))
        dwi.mkdir(parents=True)
        func.mkdir(parents=True)
        (dwi / f"sub-{subject}_model-ss3t_connectivity.csv").write_text("0 1\n1 0\n")
        for run in ("01", "02"):
            start = f"sub-{subject}_task-rest_run-{run}_seg-dk_stat"
            (func / f"{start}-mean_timeseries.tsv").write_text("a\tb\n1\t2\n")
            (func / f"{start}-pearsoncorrelation_relmat.tsv").write_text("a\tb\n1\t2\n")
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tage\tkind\nsub-01\t30\tx\nsub-02\tn/a\tx\nsub-99\t1\tx\n"
    )
    return tmp_path


def test_folder_is_a_cohort(derivatives: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(derivatives.parent)
    rows = read_folders(derivatives.name, {"recording": {"run": 1}})
    assert list(rows) == ["sub-01", "sub-02"]
    for person, row in rows.items():
        assert row["weights"] == f"{derivatives.name}/qsirecon/{person}/dwi/{person}_model-ss3t_connectivity.csv"
        assert row["recording"].endswith(f"{person}_task-rest_run-01_seg-dk_stat-mean_timeseries.tsv")
        assert (row["kind"], row["tr"]) == ("bold", "2")  # stated once for all, above the recordings
    assert [row["age"] for row in rows.values()] == ["30", ""]
    both = [str(derivatives / name) for name in ("qsirecon", "xcp_d")]
    assert list(read_folders(both, {"recording": {"run": "02"}}, exclude=["sub-01"])) == ["sub-02"]
    assert read_folders(both[0], columns={"kind": "simulated"})["sub-01"]["recording"] == ""
    assert "participants.tsv: columns that nobody reads: kind; a cohort has its own" in capsys.readouterr().err
    (derivatives / "participants.tsv").write_text("participant_id\tage\nsub-01\t30\n")
    assert read_folders(str(derivatives), {"recording": {"run": 1}}, {"tr": 2.0})["sub-02"]["age"] == ""


def test_mistakes_in_a_folder_are_one_line(derivatives: Path) -> None:
    folder, run = str(derivatives), {"recording": {"run": 1}}
    with pytest.raises(
        ValueError, match=r"sub-01: 2 files for recording; choose one by run-01, run-02, as in files: {re"
    ):
        read_folders(folder)
    with pytest.raises(ValueError, match=r"sub-01_\S+ is an image; give the volume of its regions, as in columns"):
        for subject in ("01", "02"):
            (derivatives / f"xcp_d/sub-{subject}/func/sub-{subject}_task-rest_desc-preproc_bold.nii.gz").touch()
        read_folders(folder, {"recording": {"suffix": "bold"}})
    (derivatives / "xcp_d" / "task-nback_timeseries.json").write_text("{")
    assert read_folders(folder, run)
    (derivatives / "xcp_d" / "task-rest_timeseries.json").write_text("{")
    with pytest.raises(ValueError, match=r"xcp_d/task-rest_timeseries.json: not whole JSON .*; correct it"):
        read_folders(folder, run)
    (derivatives / "xcp_d" / "task-rest_timeseries.json").unlink()
    connectome = next(derivatives.glob("qsirecon/sub-02/dwi/*.csv"))
    twin = derivatives / "other" / "dwi" / connectome.name
    twin.parent.mkdir(parents=True)
    twin.write_text(connectome.read_text())
    with pytest.raises(ValueError, match=r"sub-02: \S+ and \S+ for weights; name one of their folders"):
        read_folders(folder, run)
    twin.unlink()
    connectome.unlink()
    with pytest.raises(ValueError, match=r"sub-02: no file for weights; .*leave the person out: exclude: \[sub-02\]"):
        read_folders(folder, run)
    (derivatives / "qsirecon" / "dataset_description.json").write_text("{")
    with pytest.raises(ValueError, match=r"qsirecon: dataset_description.json cannot be read"):
        read_folders(str(derivatives / "qsirecon"))
    for file in derivatives.glob("*/dataset_description.json"):
        file.unlink()
    with pytest.raises(ValueError, match=r"no dataset_description.json in it or in a folder below; name a folder of"):
        read_folders(folder)


@pytest.mark.parametrize(
    "table",
    [
        "participant_id\tage\nsub-007\t31\n", "participant_id\tage\n007\t31\n", "participant_id,age\n7,31\n",
        "Participant_ID;age\nSUB-007;31\n", "subject\tage\n7.0\t31\n", "\ufeffparticipant_id\tage\nsub-7\t31\n",
    ],
)  # fmt: skip
def test_people_are_found_in_their_table_however_it_calls_them(table: str, tmp_path: Path) -> None:
    (tmp_path / "participants.tsv").write_text(table, encoding="utf-8")
    assert columns_of_participant("sub-007_ses-1", participant_columns([str(tmp_path)])) == {"age": "31"}


def dataset_of_one(folder: Path) -> Path:
    """A dataset with one recording in it."""
    func = folder / "sub-01" / "func"
    func.mkdir(parents=True)
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.9.0"}))
    (func / "sub-01_task-rest_bold.nii.gz").touch()
    return folder


def recording_in(folder: str | Path) -> BidsFile:
    """The one recording of a dataset."""
    (file,) = (file for file in scan([folder]) if file.path.name.endswith(".nii.gz"))
    return file


def test_of_two_people_who_differ_by_zeros_each_has_an_own_line(tmp_path: Path) -> None:
    people = ["sub-007", "sub-7"]
    (tmp_path / "participants.tsv").write_text("participant_id\tage\n007\t31\n7\t32\n")
    known = participant_columns([str(tmp_path)])
    assert [columns_of_participant(one, known, people) for one in people] == [{"age": "31"}, {"age": "32"}]
    (tmp_path / "participants.tsv").write_text("participant_id\tage\n7\t32\n")
    known = participant_columns([str(tmp_path)])
    assert [columns_of_participant(one, known, people) for one in people] == [None, {"age": "32"}]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("participant_id\tage\nsub-1\t3\nsub-1\t4\n", "participant 'sub-1' stands twice"),
        ("participant_id\tage\tage\nsub-1\t3\t4\n", "column 'age' stands twice"),
    ],
)
def test_who_or_what_stands_twice_in_the_table_of_people_is_refused(table: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "participants.tsv").write_text(table)
    with pytest.raises(ValueError, match=rf"participants.tsv: {said}; delete one"):
        participant_columns([str(tmp_path)])


@pytest.mark.parametrize(
    ("place", "content", "said"),
    [
        ("task-rest_bold.json", '{"RepetitionTime": 2}', ""),
        ("bold.json", '{"RepetitionTime": 2}', ""),
        ("sub-01/sub-01_bold.json", '{"RepetitionTime": 2}', ""),
        ("sub-01/func/sub-01_task-rest_bold.json", '{"RepetitionTime": 2}', ""),
        ("task-nback_bold.json", '{"RepetitionTime": 2}', "none"),
        ("task-rest_events.json", '{"RepetitionTime": 2}', "none"),
        ("sub-01/sub-01_bold.json", '{"RepetitionTime": [2]}', r"sub-01/sub-01_bold.json: RepetitionTime is \[2\], no"),
        ("task-rest_bold.json", "{", "task-rest_bold.json: not whole JSON"),
        ("task-rest_bold.json", '{"RepetitionTime": 2, "RepetitionTime": 3}', "'RepetitionTime' stands twice; delete"),
    ],
)
def test_json_above_a_recording_tells_of_it(place: str, content: str, said: str, tmp_path: Path) -> None:
    dataset = dataset_of_one(tmp_path)
    (dataset / place).write_text(content)
    file = recording_in(dataset)
    if said in ("", "none"):
        assert stated_tr(file) == ("2" if not said else "")
        return
    with pytest.raises(ValueError, match=said):
        stated_tr(file)


def test_the_nearer_json_counts(tmp_path: Path) -> None:
    dataset = dataset_of_one(tmp_path)
    (dataset / "task-rest_bold.json").write_text('{"RepetitionTime": 3}')
    (dataset / "sub-01/func/sub-01_task-rest_bold.json").write_text('{"RepetitionTime": 2}')
    assert stated_tr(recording_in(dataset)) == "2"


@pytest.mark.parametrize("named", ["data", "./data/", "other/../data", "../{here}/data", "link"])
def test_json_above_is_found_however_the_folder_is_named(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to("data")
    (dataset_of_one(tmp_path / "data") / "task-rest_bold.json").write_text('{"RepetitionTime": 2}')
    assert stated_tr(recording_in(named.format(here=tmp_path.name))) == "2"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (2, "2"),
        ("2.0", "2"),
        (None, ""),
        ("n/a", ""),
        ([2.0], None),
        ("2 s", None),
        (True, None),
        ("NaN", None),
        (0, None),
    ],
)
def test_repetition_times_are_numbers_or_refused_with_their_file(
    entry: object, expected: str | None, tmp_path: Path
) -> None:
    dataset = dataset_of_one(tmp_path)
    (dataset / "sub-01/func/sub-01_task-rest_bold.json").write_text(json.dumps({"RepetitionTime": entry}))
    file = recording_in(dataset)
    if expected is not None:
        assert stated_tr(file) == expected
        return
    with pytest.raises(
        ValueError, match=r"sub-01_task-rest_bold.json: RepetitionTime is .*, no number of seconds; write"
    ):
        stated_tr(file)
