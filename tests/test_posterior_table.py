"""Covariates whose names the table of posteriors has itself; columns of the robust posterior where it was asked for."""

from pathlib import Path

from vbiflow.exclusion import Exclusion
from vbiflow.posterior_table import STATISTICS, covariate_name, posterior_table, read_posterior_table


def test_covariates_never_take_the_place_of_results(tmp_path: Path, monkeypatch) -> None:
    note = Exclusion("a", "observe", "no file")
    monkeypatch.setattr("vbiflow.posterior_table.first_exclusion", lambda files: note)
    text = posterior_table({"a": {"verdict": "healthy", "x_shrinkage": "3", "age": "31"}}, ["s"], ["v"], ["p"])
    (tmp_path / "cohort.tsv").write_text(text)
    found = read_posterior_table(tmp_path / "cohort.tsv")
    assert found["verdicts"] == ["left out"] and found["parameters"] == {}
    assert found["covariates"] == {
        "covariate_verdict": ["healthy"],
        "covariate_x_shrinkage": ["3"],
        "age": ["31"],
    }
    assert covariate_name("sex") == "sex" and covariate_name("G_mean") == "covariate_G_mean"


def test_the_robust_posterior_and_wrong_features_stand_beside_the_plain_one(tmp_path: Path, monkeypatch) -> None:
    verdict = {"verdict": "trusted", "reasons": ["it passes"], "wrong_features": ["fc.sd", "sd.mean"]}
    verdict |= {"parameters": {"G": {"conformal_90": [0.1, 0.9], "robust": [0.2, 0.5, 0.8]}}}
    monkeypatch.setattr("vbiflow.posterior_table.first_exclusion", lambda files: None)
    monkeypatch.setattr("vbiflow.posterior_table.read_json", lambda path: verdict)
    numbers = dict.fromkeys(STATISTICS, 1.0)
    monkeypatch.setattr("vbiflow.posterior_table.statistics", lambda samples, prior: {"G": numbers})
    (tmp_path / "cohort.tsv").write_text(posterior_table({"a": {"G_r50": "x"}}, ["s"], ["v"], ["p"]))
    header, row = (line.split("\t") for line in (tmp_path / "cohort.tsv").read_text().splitlines())
    line = dict(zip(header, row, strict=True))
    assert line["wrong_features"] == "fc.sd, sd.mean"
    assert [line[f"G_{end}"] for end in ("c05", "c95", "r05", "r50", "r95")] == ["0.1", "0.9", "0.2", "0.5", "0.8"]
    found = read_posterior_table(tmp_path / "cohort.tsv")
    assert set(found["parameters"]) == {"G"} and found["covariates"] == {"covariate_G_r50": ["x"]}
