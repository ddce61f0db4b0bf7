"""A cohort's posteriors as one table: a row a subject, for statistics and for the figures of the cohort."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.diagnostics.marginal import marginal_information
from vbiflow.exclusion import first_exclusion, read_exclusion
from vbiflow.io import parameter_units, read, read_attributes, read_json
from vbiflow.prior import Prior
from vbiflow.text_tables import tab_separated

STATISTICS = ("map", "mean", "sd", "q05", "median", "q95", "information", "shrinkage")
"""What the table holds of each parameter: information [nat] is what the marginal posterior says beyond the prior,
shrinkage one minus posterior over prior variance, which is 0 of two modes too."""
CONFORMAL = ("c05", "c95")
"""Ends of the 90 % interval that held-out simulations correct, where the verdict holds them."""
ROBUST = ("r05", "r50", "r95")
"""5, 50 and 95 % quantiles of the robust posterior, where the study asks for it."""
WRONG_FEATURES = "wrong_features"
"""Features that the robust posterior finds wrong."""
LEFT_OUT = "left out"
LEADING = ("participant_id", "verdict", "reason", WRONG_FEATURES)
MISSING = "n/a"


def statistics(samples: str | Path, prior: str | Path) -> dict[str, dict[str, float]]:
    """STATISTICS of each parameter, of one subject's samples."""
    found = read(samples, "theta", "names", "map", "mean", "sd", "quantiles")
    levels = np.asarray(read_attributes(samples, "quantiles")["levels"])
    low, middle, high = (found["quantiles"][int(np.argmin(np.abs(levels - level)))] for level in (0.05, 0.5, 0.95))
    drawn_from = Prior.from_plain(read_attributes(prior)["prior"])
    told, shrinkage = marginal_information(drawn_from.cdf(found["theta"])), 1 - (found["sd"] / drawn_from.std) ** 2
    columns = (found["map"], found["mean"], found["sd"], low, middle, high, told, shrinkage)
    return {
        name: dict(zip(STATISTICS, map(float, values), strict=True))
        for name, *values in zip(found["names"], *columns, strict=True)
    }


def posterior_table(
    covariates: Mapping[str, Mapping[str, str]], samples: Sequence[str], verdicts: Sequence[str], priors: Sequence[str]
) -> str:
    """The table as text (tabs, BIDS's n/a): who, verdict, further columns of the cohort, STATISTICS of each parameter.

    Parameters
    ----------
    covariates
        Entries of those further columns by subject.
    samples, verdicts, priors
        Files of each subject, in that order; a note stands in place of those of subjects left out.
    """
    lines = []
    for (name, entries), *files in zip(covariates.items(), samples, verdicts, priors, strict=True):
        note = first_exclusion(files)
        verdict = {"verdict": LEFT_OUT, "reasons": [note.reason]} if note else read_json(files[1])
        line = {"participant_id": name, "verdict": verdict["verdict"], "reason": verdict["reasons"][0]}
        if WRONG_FEATURES in verdict:
            line[WRONG_FEATURES] = ", ".join(verdict[WRONG_FEATURES]) or "none"
        line |= {covariate_name(column): entry for column, entry in entries.items()}
        for parameter, values in ({} if note else statistics(files[0], files[2])).items():
            line |= {f"{parameter}_{statistic}": f"{value:.9g}" for statistic, value in values.items()}
            told = verdict.get("parameters", {}).get(parameter, {})
            for columns, key in ((CONFORMAL, "conformal_90"), (ROBUST, "robust")):
                named = zip(columns, told.get(key, ()), strict=key in told)
                line |= {f"{parameter}_{end}": MISSING if at is None else f"{at:.9g}" for end, at in named}
        lines.append(line)
    header = list(dict.fromkeys(column for line in sorted(lines, key=len, reverse=True) for column in line))
    rows = ({column: " ".join(str(entry).split()) or MISSING for column, entry in line.items()} for line in lines)
    return tab_separated(header, rows, MISSING)


def covariate_name(column: str) -> str:
    """Name of a covariate in the table: one that the table's own columns have gets covariate_ before it."""
    own = column in LEADING or column.rpartition("_")[2] in (*STATISTICS, *CONFORMAL, *ROBUST)
    return f"covariate_{column}" if own else column


def read_posterior_table(path: str | Path) -> dict[str, Any]:
    """What figures draw of the table: subjects, verdicts, covariates, and STATISTICS (n_subjects,) by parameter."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    header = list(lines[0])
    parameters = [
        column.removesuffix("_shrinkage")
        for column in header
        if column.endswith("_shrinkage") and not column.startswith("covariate_")
    ]
    own = {f"{parameter}_{statistic}" for parameter in parameters for statistic in (*STATISTICS, *CONFORMAL, *ROBUST)}
    covariates = [column for column in header if column not in own and column not in LEADING]
    return {
        "subjects": [line["participant_id"] for line in lines],
        "verdicts": [line["verdict"] for line in lines],
        "covariates": {name: [line[name] for line in lines] for name in covariates},
        "parameters": {
            parameter: {
                statistic: np.array([table_number(line[f"{parameter}_{statistic}"]) for line in lines])
                for statistic in STATISTICS
            }
            for parameter in parameters
        },
    }


def table_number(entry: str) -> float:
    """An entry of the table as a number; not-a-number where it is missing."""
    return float("nan") if entry == MISSING else float(entry)


def first_result(paths: Sequence[str | Path]) -> str | Path:
    """The first of the files that is no note."""
    return next(path for path in paths if read_exclusion(path) is None)


def first_units(priors: Sequence[str | Path]) -> dict[str, str]:
    """Units of the parameters, from the first of the files that is no note."""
    return parameter_units(first_result(priors))


def prior_intervals(priors: Sequence[str | Path]) -> dict[str, tuple[float, float]]:
    """5 and 95 % quantile of the prior of each parameter, from the first of the files that is no note."""
    prior = Prior.from_plain(read_attributes(first_result(priors))["prior"])
    low, high = prior.ppf(np.tile([[0.05], [0.95]], len(prior.names)))
    return dict(zip(prior.names, zip(low.tolist(), high.tolist(), strict=True), strict=True))
