"""The table of figures: rules, the order of the report and Snakemake's own report follow from it.

A new figure is a function that takes arrays and returns a matplotlib Figure, a caption ``rules/report/<name>.rst``, and
an entry in `FIGURES`. Nothing here imports matplotlib, so that a workflow that draws nothing does not wait for it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from vbiflow.dependencies import find_module
from vbiflow.engine.checks import choose
from vbiflow.figures.figure import (
    INPUTS,
    PARAMETERS,
    Figure,
    datasets,
    few_people,
    has_others,
    has_plane,
    has_regional_features,
    has_scalp_spectra,
    has_series,
    if_asked,
    if_scored,
    infers_noise,
    regional,
    units,
)
from vbiflow.provenance import ROOT

FOLDER = ROOT / "vbiflow" / "figures"
CAPTIONS = ROOT / "rules" / "report"
PAGE = ("cohort", "estimator", "subject")
"""Scopes whose figures stand in the report of a study."""
SAMPLES = (
    {"prior": "prior/@prior"} | datasets("samples", "names", "truth", samples="theta", mode="map") | units("samples")
)
CONNECTOME = ("weights", "tract_lengths", "labels", "hemispheres", "networks", "centres")
RECORDED = datasets("x_o", "labels", "hemispheres", "networks")

FIGURES: dict[str, Figure] = {
    "cohort": Figure(
        "cohort", "Cohort", "cohort", {"table": "table", "priors": "priors"}, read="read_cohort_table"
    ),
    "covariates": Figure(
        "cohort", "Cohort", "cohort", {"table": "table", "priors": "priors"}, read="read_covariates",
        wanted=lambda study, owner: any(study.covariates.values()),
    ),
    "cohort_pairs": Figure(
        "cohort", "Cohort", "people", {"samples": "samples", "priors": "priors"}, read="read_people_samples",
        wanted=few_people,
    ),
    "connectome": Figure("estimator", "Connectome", "connectome", datasets("connectome", *CONNECTOME)),
    "training": Figure("estimator", "Estimator", "training", datasets("training", "train_loss", "validation_loss")),
    "recovery": Figure(
        "estimator", "Estimator", "diagnostics",
        datasets("diagnostics", "theta", "mean", "sd", "z", "shrinkage", "names") | units("diagnostics"),
    ),
    "noise_levels": Figure(
        "estimator", "Estimator", "noise",
        datasets("diagnostics", "theta", "z", "shrinkage", "names") | {"noises": "noises"} | units("diagnostics"),
        wanted=infers_noise,
    ),
    "calibration": Figure(
        "estimator", "Estimator", "diagnostics",
        datasets("diagnostics", "ranks", "names", "coverage", "tarp_level", "tarp_coverage", level="coverage_level")
        | {"n_samples": "diagnostics/ranks@n_samples"},
    ),
    "features": Figure(
        "estimator", "Features", "features",
        datasets("features_report", "informs", "explained", "explained_by", "shown", "correlation", "outside"),
    ),
    "scatter": Figure(
        "estimator", "Features", "scatter",
        datasets("features_report", "informs", "redundant") | {"prior": "prior", "features": "features"}
        | units("prior"),
        read="read_scatter",
    ),
    "plane": Figure(
        "estimator", "Features", "scatter",
        datasets("features_report", "informs", "redundant")
        | {"prior": "prior", "features": "features", "truths": "truths"} | units("prior"),
        read="read_plane", wanted=has_plane,
    ),
    "ablation": Figure(
        "estimator", "Features", "features", datasets("ablation", "features", "subjects", "units"),
        wanted=if_asked("ablation"),
    ),
    "baselines": Figure(
        "estimator", "Estimator", "evidence", datasets("baselines", "methods", "parameters", "n_simulations"),
        wanted=if_asked("baselines"),
    ),
    "learning_curve": Figure(
        "estimator", "Estimator", "evidence",
        datasets("learning_curve", "estimators", "parameters", "n_simulations")
        | datasets("learning_curve", "rmse", "shrinkage", "coverage_90", "log_prob"),
        wanted=if_asked("learning_curve"),
    ),
    "invalid": Figure(
        "estimator", "Estimator", "diagnostics",
        datasets("prior", "theta", "names") | datasets("features", "valid") | units("prior"),
    ),
    "marginals": Figure("subject", "Posterior", "posterior", SAMPLES, read="read_samples"),
    "pairs": Figure("subject", "Posterior", "posterior", SAMPLES, read="read_samples"),
    "estimators": Figure(
        "subject", "Posterior", "estimators",
        {"prior": "prior/@prior", "baselines": "baselines", "estimators": "estimators"}
        | datasets("samples", "names", "truth", samples="theta") | units("samples"),
        read="read_estimators", wanted=has_others,
    ),
    "brain": Figure(
        "subject", "Posterior", "brain",
        {"prior": "prior/@prior", "connectome": "connectome"}
        | datasets("samples", "names", "truth", samples="theta") | units("samples"),
        read="read_map", wanted=regional,
    ),
    "exact": Figure(
        "subject", "Posterior", "exact",
        datasets("samples", "names", "truth", samples="theta") | datasets("exact", reference="theta")
        | units("samples"),
        wanted=lambda study, owner: if_asked("exact")(study, owner) and has_series(study, owner),
    ),
    "rounds": Figure(
        "subject", "Posterior", "evidence",
        {"prior": "first_prior/@prior", "rounds": "rounds"} | datasets("samples", last="theta") | units("samples"),
        read="read_rounds", wanted=lambda study, owner: study.n_rounds > 1,
    ),
    "sensitivity": Figure(
        "subject", "Posterior", "evidence", datasets("sensitivity", "eigenvalues", "eigenvectors", "names"),
        wanted=if_asked("sensitivity"),
    ),
    "local_c2st": Figure(
        "subject", "Posterior", "evidence",
        datasets("local_c2st", "theta", "score", "null", "statistic", "p_value", "names") | units("local_c2st"),
        wanted=if_asked("local_c2st"),
    ),
    "robust": Figure(
        "subject", "Posterior", "robust",
        datasets("samples", "names", samples="theta")
        | datasets("robust", "features", "wrong", "shift", robust="theta"),
        wanted=if_asked("robust"),
    ),
    "misspecification": Figure(
        "subject", "Predictions", "predictive",
        datasets("features", "x", "valid") | datasets("x_o", "names", x_o="x") | datasets("predictive", predicted="x")
        | {"n_predictive": "n_predictive"},
        read="read_simulations",
    ),
    "regional_features": Figure(
        "subject", "Predictions", "regional",
        {"features": "features", "n_predictive": "n_predictive", "nodes": "nodes", "units": "x_o/x@unit"}
        | datasets("x_o", "names", "labels", x_o="x") | datasets("predictive", predicted="x"),
        read="read_regional_features", wanted=has_regional_features,
    ),
    "predictive": Figure(
        "subject", "Predictions", "predictive", {"path": "predictive", "scores": "scores"},
        read="read_scores", wanted=has_series,
    ),
    "fc": Figure(
        "subject", "Predictions", "recording",
        datasets("predictive", observed="fc_observed", predicted="fc", values="fc_values")
        | datasets("x_o", "hemispheres", "networks") | {"nodes": "nodes"},
        wanted=if_scored("fc"),
    ),
    "fcd": Figure(
        "subject", "Predictions", "recording",
        datasets("predictive", observed="fcd_observed", predicted="fcd", observed_values="fcd_observed_values",
             predicted_values="fcd_values", window="fcd@window", step="fcd@step"),
        wanted=if_scored("fcd"),
    ),
    "psd": Figure(
        "subject", "Predictions", "recording",
        datasets("predictive", "frequencies", observed="psd_observed", predicted="psd", mean="psd_mean")
        | datasets("x_o", "labels") | {"name": "signal", "unit": "predictive/psd@unit", "nodes": "nodes"},
        wanted=if_scored("psd"),
    ),
    "topography": Figure(
        "subject", "Predictions", "topography",
        datasets("predictive", "frequencies", observed="psd_observed", predicted="psd")
        | datasets("x_o", names="labels") | {"head": "lead_field"},
        read="read_sensor_spectra", wanted=has_scalp_spectra,
    ),
    "series": Figure(
        "subject", "Predictions", "recording",
        datasets("x_o", observed="ts", fs="ts@fs")
        | datasets("predictive", predicted="ts", predicted_fs="ts@fs") | RECORDED
        | {"name": "signal", "unit": "x_o/ts@unit", "nodes": "nodes", "has_course": "has_course"}
        | datasets("samples", "names", "truth", mode="map") | units("samples"),
        read="read_series", wanted=has_series,
    ),
    "comparison": Figure("comparison", "Comparison", "comparison", datasets("comparison", "scores", "ranking")),
    "amortisation": Figure(
        "amortisation", "Amortisation", "comparison", {"people": "people", "studies": "studies"},
        read="read_people",
    ),
}  # fmt: skip
"""Every figure by name, in the order in which the report shows them."""


def figure_function(name: str) -> Callable[..., Any]:
    """The function that draws a figure: arrays in, a matplotlib Figure out."""
    return getattr(import_module(f"vbiflow.figures.{FIGURES[name].module}"), name)


def wanted_figures(scope: str, study: Any, owner: str = "") -> dict[str, Figure]:
    """Figures that a study draws of a subject, of an estimator (`owner`), or of its cohort, in the report's order."""
    found = {name: figure for name, figure in FIGURES.items() if figure.scope == scope}
    if scope == "cohort" and len(study.subjects) < 2:
        return {}
    return {name: figure for name, figure in found.items() if figure.wanted(study, owner)}


def figure_inputs(scope: str, study: Any, owner: str = "") -> dict[str, str | list[str]]:
    """Paths of the files that the wanted figures of a scope are drawn from, by name; lists where there are several."""
    names = dict.fromkeys(name for one in wanted_figures(scope, study, owner).values() for name in one.inputs)
    known = folders(scope, study, owner)
    found = {}
    for name in names:
        path = f"results/{study.name}/{INPUTS[scope][name]}"
        several = next((key for key, value in known.items() if isinstance(value, list) and f"{{{key}}}" in path), None)
        found[name] = (
            [path.format(**known | {several: one}) for one in known[several]] if several else path.format(**known)
        )
    return found


def folders(scope: str, study: Any, owner: str) -> dict[str, str | list[str]]:
    """What stands for each name in braces in INPUTS."""
    if scope == "cohort":
        return {"estimators": study.estimators, "subjects": study.subjects}
    if scope == "estimator":
        return {"estimator": owner}
    rounds = [study.round_of(owner, number) for number in range(1, study.n_rounds + 1)]
    return {
        "subject": owner, "connectome": study.network_of(owner), "baselines": study["diagnostics"]["estimators"],
        "first_round": rounds[0], "last_round": rounds[-1], "later_rounds": rounds[1:],
    }  # fmt: skip


def figure_parameters(scope: str, study: Any, owner: str = "") -> dict[str, Any]:
    """What the wanted figures of a scope take from the study."""
    names = dict.fromkeys(name for one in wanted_figures(scope, study, owner).values() for name in one.parameters)
    return {name: PARAMETERS[name](study, owner) for name in names}


def captions(folder: Path = CAPTIONS) -> dict[str, str]:
    """Caption of each figure, on one line."""
    return {name: " ".join((folder / f"{name}.rst").read_text(encoding="utf-8").split()) for name in FIGURES}


def check_table(folder: Path = CAPTIONS) -> None:
    """Check each entry of the table before anything runs.

    Raises
    ------
    ValueError
        In one line, for an unknown scope, input, module or function, or a missing caption.
    """
    for name, figure in FIGURES.items():
        choose(f"scope of figure {name}", figure.scope, INPUTS)
        for source in figure.inputs:
            choose(f"input of figure {name}", source, INPUTS[figure.scope] | PARAMETERS)
        choose(f"module of figure {name}", figure.module, [file.stem for file in sorted(FOLDER.glob("*.py"))])
        nodes = [statement.node for statement in find_module(figure.file).statements]
        functions = [node.name for node in nodes if isinstance(node, ast.FunctionDef)]
        for function in filter(None, (name, figure.read)):
            choose(f"function of figure {name} in {figure.file}", function, functions)
        caption = folder / f"{name}.rst"
        if not caption.is_file():
            raise ValueError(f"figure {name} has no caption; write {caption.relative_to(ROOT)}")
