"""Covariates whose names the table of posteriors has itself."""

from pathlib import Path

from vbiflow.exclusion import Exclusion
from vbiflow.posterior_table import covariate_name, posterior_table, read_posterior_table


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
