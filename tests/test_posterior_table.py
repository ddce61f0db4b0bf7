"""Covariates whose names the table of posteriors has itself; columns of the robust posterior where it was asked for."""

from pathlib import Path

import numpy as np
import pytest

from vbiflow.exclusion import Exclusion
from vbiflow.io import Quantity, write, write_json
from vbiflow.posterior_table import (
    CONFORMAL,
    LEADING,
    ROBUST,
    STATISTICS,
    covariate_name,
    posterior_table,
    read_posterior_table,
)
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT


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


def test_the_table_says_what_was_learnt_by_information_also_where_two_modes_shrink_nothing(tmp_path: Path) -> None:
    """The halves of [0, 1] beyond 0.4 of the middle: as wide as the prior, and four fifths of it are excluded."""
    rng, prior = np.random.default_rng(1), Prior.from_config({name: {"uniform": [0, 1]} for name in ("two", "none")})
    two = rng.uniform(0, 0.1, 2000) + 0.9 * rng.integers(0, 2, 2000)
    theta = np.column_stack([two, rng.random(2000)])
    levels = [0.05, 0.5, 0.95]
    values = {"theta": theta, "map": theta[0], "mean": theta.mean(axis=0), "sd": theta.std(axis=0)}
    parts = {name: Quantity(found, "1") for name, found in values.items()} | {"names": ["two", "none"]}
    parts["quantiles"] = Quantity(np.quantile(theta, levels, axis=0), "1", attributes={"levels": levels})
    write(tmp_path / "samples.h5", parts, {})
    write(tmp_path / "prior.h5", {"theta": Quantity(theta, "1")}, {"prior": prior.to_config()})
    write_json(tmp_path / "verdict.json", {"verdict": "trusted", "reasons": ["it passes"]})
    files = [[str(tmp_path / name)] for name in ("samples.h5", "verdict.json", "prior.h5")]
    (tmp_path / "cohort.tsv").write_text(posterior_table({"a": {"two_information": "x"}}, *files))
    found = read_posterior_table(tmp_path / "cohort.tsv")
    assert found["parameters"]["two"]["information"] == pytest.approx(np.log(5), abs=0.01)
    assert found["parameters"]["two"]["shrinkage"] < 0
    assert found["parameters"]["none"]["information"] == pytest.approx(0, abs=0.005)
    assert found["covariates"] == {"covariate_two_information": ["x"]}


def test_every_column_of_the_table_is_documented() -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    columns = [f"_{name}`" for name in (*STATISTICS, *CONFORMAL, *ROBUST)] + [f"`{name}`" for name in LEADING]
    assert [name for name in columns if name not in text] == []
