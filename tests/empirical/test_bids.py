"""Cohorts from BIDS derivatives: a small tree of files, read back as a cohort; each mistake one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from vbiflow.empirical import read_cohort
from vbiflow.empirical.bids import main, make_cohort, parse_name, scan

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
