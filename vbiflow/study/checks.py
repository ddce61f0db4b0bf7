"""Checks of a study against the registries and its people, before the DAG is built; each error is one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from math import ceil, floor, isfinite
from typing import Any

import numpy as np

from vbiflow.arrays import is_table
from vbiflow.diagnostic_options import EXACT, LOCAL_TEST, MOST_ROBUST, fewest_for, resolve_thresholds
from vbiflow.empirical.cohort import FILES, REGIONAL, SENSOR_KINDS
from vbiflow.empirical.sensor_options import check_recording, check_sensors, head_files
from vbiflow.empirical.series import check_options
from vbiflow.engine.checks import choose
from vbiflow.engine.derived import derived_quantities
from vbiflow.engine.draws import NETWORK_PARAMETERS, check_draws
from vbiflow.estimator_options import ESTIMATOR_OPTIONS, resolve_options
from vbiflow.features.discrepancy import read_discrepancy
from vbiflow.features.preparation import read_preparation
from vbiflow.features.registry import check_epochs, spectral_grid
from vbiflow.features.score_options import HALF_WINDOWS, check_lengths, half_is_enough, score_options
from vbiflow.features.scores import SCORES, TABLE_SCORE, choose_scores
from vbiflow.marginals import DISCREPANCY, read_prior
from vbiflow.models import find_model
from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.prior import check_truth as check_truth_values
from vbiflow.provenance import ROOT
from vbiflow.study.connectome_checks import (
    check_connectome,
    check_effective,
    check_maps,
    check_noise_per_region,
    check_per,
    check_pool,
)
from vbiflow.study.demand import count_regions, fewest_features
from vbiflow.study.schema import join_all
from vbiflow.study.study import Study
from vbiflow.study.topology import PER, RESERVED

MOST_SHARDS = 100_000
MOST_STEPS = 1e8
LARGEST_MISS = 1.0
"""By which a model may miss a correlation at most: by more nothing is told any longer."""
FEWEST_REGIONS = 3
"""Regions with more than one pair, whose FC can be alike."""
FEWEST = 30
"""So many simulations are to train, to validate and to test; some may turn out invalid."""


def check_study(study: Study) -> None:
    """Compare names and numbers with the registries and the people, before the DAG is built.

    Raises
    ------
    ValueError
        In one line, with everything that is wrong.
    """
    join_all(found_by(study, check_names, check_participants, check_per, check_signal, check_resources))
    join_all(
        found_by(
            study,
            check_pool,
            check_maps,
            check_paths,
            check_scores,
            check_simulation,
            check_truth,
            check_exact,
            check_analytic,
            check_features,
            check_preparation,
            check_recordings,
            check_connectome,
            check_effective,
            check_noise_per_region,
            check_discrepancy,
            check_shares,
            check_evidence,
        )
    )


def found_by(study: Study, *checks: Callable[[Study], None]) -> list[str]:
    """What each of the checks finds wrong."""
    found = []
    for check in checks:
        try:
            check(study)
        except ValueError as error:
            found.append(str(error))
    return found


def check_names(study: Study) -> None:
    """Refuse unknown models and parameters, and parameters that are both fixed and inferred."""
    both = study["prior"].keys() & study["parameters"].keys()
    if both:
        raise ValueError(f"{', '.join(sorted(both))} stands in both prior and parameters; keep one")
    model = find_model(study["model"])
    for name in [*study["prior"], *study["parameters"]]:
        choose(f"parameter of {model.name}", name, model.parameters | derived_quantities(model) | NETWORK_PARAMETERS)


def check_signal(study: Study) -> None:
    """Refuse an observation of which nothing is recorded."""
    if not {"signals", *OBSERVATION_MODELS} & study["observation"].keys():
        raise ValueError(f"observation: nothing is recorded; give {', '.join(OBSERVATION_MODELS)} or signals")


def check_resources(study: Study) -> None:
    """Refuse resources of rules that there are not."""
    for name in study["resources"]:
        choose("rule in resources", name, rules_with_resources())


@cache
def rules_with_resources() -> tuple[str, ...]:
    """Rules whose threads, memory and time a study may set, as the rules say."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*.smk")))
    return tuple(sorted(set(re.findall(r'\b(?:threads_of|memory)\("(\w+)"', text))))


def check_paths(study: Study) -> None:
    """Refuse braces in paths of inputs, which Snakemake takes for wildcards."""
    rows = [(f"cohort: {column} of {name}", row[column]) for name, row in study.cohort.items() for column in FILES]
    people = dict.fromkeys(map(study.connectome_of, study.subjects))
    maps = [(f"connectome.maps.{name}", file) for person in people for name, file in study.maps(person).items()]
    heads = [("observation.sensors", path) for path in head_files(study.sensors)]
    for what, path in (*rows, *maps, *heads):
        if "{" in path or "}" in path:
            raise ValueError(f"{what}: {path}: braces in a path are wildcards to Snakemake; rename the file or folder")


def check_scores(study: Study) -> None:
    """Name the scores of the predictive check, those that fit the signal where the study names none; refuse others."""
    named, used = study["diagnostics"]["scores"], study.has_series or study["diagnostics"]["optimise"]
    study["diagnostics"]["scores"] = names = choose_scores(named, study.signal)
    if not used and (of_series := [name for name in named if name != TABLE_SCORE]):
        raise ValueError(
            f"diagnostics.scores: {', '.join(of_series)}: scores are of series, and the recordings are spectra or "
            f"features alone; leave scores out: spectra are compared by {TABLE_SCORE}"
        )
    if not study.has_series:
        return
    if "fc_correlation" in names and not study.on_sensors and (n := count_regions(study)) < FEWEST_REGIONS:
        raise ValueError(
            f"diagnostics.scores: fc_correlation compares the pairs of regions, of which {n} have "
            f"{n * (n - 1) // 2}; select {FEWEST_REGIONS} regions or more, or name another score"
        )
    check_lengths(*score_lengths(study))


def score_lengths(study: Study) -> tuple[dict[str, dict[str, Any]], int, float]:
    """Windows of the scores of a study, the samples of a series and their rate [Hz]."""
    fs = 1000.0 / study.interval
    steps = read_preparation(study["preparation"], fs)
    wanted = score_options(study["diagnostics"]["scores"], study["features"], steps, fs)
    return wanted, ceil(study["simulation"]["duration"] / study.interval - 1e-9), fs


def check_simulation(study: Study) -> None:
    """Compare prior, parameters, simulation and observation with what the engine takes."""
    simulation = study["simulation"]
    shards = -(-study.n_simulations // simulation["shard_size"])
    if shards > MOST_SHARDS:
        raise ValueError(f"simulation.shard_size: makes {shards} shards, at most {MOST_SHARDS} are planned; raise it")
    n_steps = (simulation["duration"] + simulation["transient"]) / simulation["dt"]
    if n_steps > MOST_STEPS:
        raise ValueError(f"simulation: {n_steps:.3g} steps of dt {simulation['dt']:g} ms; raise dt or shorten duration")
    maps, settings = study["connectome"]["maps"], (study["parameters"], study.simulation, study.recorded)
    with np.errstate(all="ignore"):
        check_draws(study["model"], study["prior"], maps, *settings, seed=study["seed"])


def check_features(study: Study) -> None:
    """Refuse unknown features and options, and to leave out the only one."""
    groups = study.groups
    if study["diagnostics"]["ablation"] and len(groups) < 2:
        raise ValueError(f"diagnostics.ablation leaves one feature out of several; found only {groups[0]}")


def check_discrepancy(study: Study) -> None:
    """Refuse a discrepancy of no feature or without a size, and one of what is known exactly."""
    listed, given = study["discrepancy"], DISCREPANCY in {**study["prior"], **study["parameters"]}
    if given != bool(listed):
        lacks = "its size: write discrepancy into prior or parameters" if listed else "features: list them there"
        raise ValueError(f"discrepancy lacks {lacks}, as in prior: {{discrepancy: {{loguniform: [0.01, 0.2]}}}}")
    for name in read_discrepancy(listed):
        choose("feature in discrepancy", name, study.features)
    drawn = read_prior({name: entry for name, entry in study["prior"].items() if name == DISCREPANCY})
    sizes = [study["parameters"].get(DISCREPANCY, 0.0), *(marginal.support[1] for marginal in drawn)]
    largest = max((size for size in sizes if isinstance(size, int | float) and isfinite(size)), default=0.0)
    if "fc" in read_discrepancy(listed) and largest > LARGEST_MISS:
        raise ValueError(
            f"discrepancy: {largest:g}, but fc are correlations between -1 and 1; write at most {LARGEST_MISS:g}, "
            "as 0.05 for a miss by 0.05"
        )
    if listed and study.simulated:
        who = min(study.simulated)
        raise ValueError(
            f"discrepancy: the recording of {who} is simulated, and no model is wrong about it; leave it out"
        )
    if listed and study["diagnostics"]["exact"]:
        raise ValueError("diagnostics.exact knows no discrepancy; leave one of them out")


def check_participants(study: Study) -> None:
    """Refuse ids that results cannot tell apart: words of the workflow's own, and two that differ by case."""
    seen: dict[str, str] = {}
    for name in study.subjects:
        lower = name.lower()
        if lower in (*RESERVED, *PER):
            raise ValueError(f"cohort: participant_id {name!r} is a word of the workflow's own; write sub-{name}")
        if lower in seen:
            raise ValueError(
                f"cohort: participant_id {seen[lower]!r} and {name!r} differ by case alone, which not every disk "
                "tells apart; rename one"
            )
        seen[lower] = name


def check_truth(study: Study) -> None:
    """Each participant whose recording is simulated needs the parameters that make it."""
    marginals = read_prior(study["prior"])
    for name in study.simulated:
        if name not in study["truth"]:
            raise ValueError(f"truth: none of {name}, who has no recording; give a value of each inferred parameter")
    for name, values in study["truth"].items():
        if name not in study.simulated:
            known = ", ".join(study.simulated) or "none"
            raise ValueError(f"truth: {name!r} has a recording, or is nobody of the cohort; without one: {known}")
        try:
            check_truth_values(values, marginals)
        except ValueError as error:
            raise ValueError(f"truth.{name}: {error}") from None


def check_recordings(study: Study) -> None:
    """Compare what a study says of its sensors and recordings with its cohort."""
    if "sensors" in study["observation"]:
        check_sensors(study.sensors)
        if "noise" in study["observation"]:
            raise ValueError("observation.noise: measurement noise is at the sensors; write observation.sensors.noise")
        if "noise" in study.sensors and "noise" in {**study["prior"], **study["parameters"]}:
            raise ValueError("noise stands in both observation.sensors and prior (or parameters); keep one")
        if study["diagnostics"]["optimise"]:
            raise ValueError(
                "diagnostics.optimise: point optimisation compares regions, the study sensors; leave it out"
            )
    for row in study.cohort.values():
        if row["kind"] in SENSOR_KINDS and not is_table(row["recording"]):
            check_recording(study["recording"], study.sensors)
        elif row["kind"] in REGIONAL or (row["kind"] in SENSOR_KINDS and not study.projected):
            check_options(study["recording"])
        elif "part" in study["recording"]:
            raise ValueError(f"recording.part: halves are taken of series, not of kind {row['kind']}; leave it out")


def check_preparation(study: Study) -> None:
    """Check the steps of the preparation, and that nothing runs across the borders of epochs."""
    if "epochs" not in read_preparation(study["preparation"], 1000.0 / study.interval):
        return
    check_epochs(study.feature_requests)
    if "fcd_ks" in study["diagnostics"]["scores"]:
        raise ValueError(
            "diagnostics.scores: fcd_ks runs across the borders of epochs; take fc_correlation, psd_distance"
        )


def check_exact(study: Study) -> None:
    """The exact posterior is known of global parameters of the linear network, from its series as they are."""
    if not study["diagnostics"]["exact"]:
        return
    of_regions = [name for name, entry in study["prior"].items() if {"per", "random", "map"} & entry.keys()]
    if study["model"] != "linear" or len(study["prior"]) > 2 or of_regions:
        raise ValueError("diagnostics.exact: only model linear with one or two global parameters in the prior has it")
    if study["observation"].get("signals", {}).get("x", {}).get("average", True):
        raise ValueError("diagnostics.exact: needs observation.signals.x with average: false, points in time")
    unknown = [name for name in {**study["prior"], **study["parameters"]} if name not in EXACT]
    unknown += [
        name for name, value in study["parameters"].items() if name in EXACT and not isinstance(value, int | float)
    ]
    unknown += [f"observation.{key}" for key in ("bold", "sensors", "noise") if key in study["observation"]]
    unknown += [f"recording.{key}" for key in study["recording"] if key != "part"]
    unknown += ["preparation"] if study["preparation"] else []
    unknown += ["simulation.stimulus"] if study["simulation"].get("stimulus") else []
    if unknown:
        raise ValueError(
            f"diagnostics.exact: its likelihood is that of {', '.join(EXACT)}, a number each, and knows nothing of "
            f"{', '.join(unknown)}; leave exact out, or these"
        )


def check_analytic(study: Study) -> None:
    """Spectra of the linear equations stand for spectra of regions, and for nothing that follows series in time."""
    if not study.analytic:
        return
    wrong = {
        "observation.bold": "bold" in study["observation"],
        "observation.sensors": bool(study.sensors),
        "preparation": bool(study["preparation"]),
        "simulation.stimulus": bool(study["simulation"].get("stimulus")),
        "diagnostics.optimise": bool(study["diagnostics"]["optimise"]),
        "diagnostics.exact": bool(study["diagnostics"]["exact"]),
    }
    for key in (key for key, found in wrong.items() if found):
        raise ValueError(f"observation.spectrum: analytic: there are no series for {key}; leave it out, or spectrum")
    for name, row in study.cohort.items():
        if row["kind"] not in ("psd", "simulated"):
            raise ValueError(
                f"observation.spectrum: analytic is compared with spectra (kind psd), {name} is {row['kind']}"
            )
    spectral_grid(study.feature_requests)


def check_shares(study: Study) -> None:
    """Refuse fewer simulations than training and diagnostics would be content with once all are made."""
    n, inference = study.n_simulations, resolve_options(study["inference"])
    validation, test = inference["validation_share"], inference["test_share"]
    limits = resolve_thresholds(study["diagnostics"]["thresholds"])
    n_test = max(FEWEST, int(limits["n_test"]), fewest_for(limits["predictive_p"]))
    hold_less = f"hold less out than {validation:g} and {test:g}"
    needs = (
        ("validate", validation, FEWEST, f"validation_share {validation:g}"),
        ("test", test, n_test, f"test_share {test:g}"),
        ("train", 1 - validation - test, FEWEST, hold_less),
    )
    short = [need for need in needs if n * need[1] < need[2] - 1e-9]
    if short:
        left = " and ".join(
            f"{max(0, floor(n * share + 1e-9))} to {use} (at least {least})" for use, share, least, _ in short
        )
        enough = max((ceil(least / share - 1e-9) for _, share, least, _ in short if share > 1e-9), default=n)
        cures = [f"raise it to {enough}"] if enough > n else []
        cures += [cure if cure == hold_less else f"raise {cure}" for *_, cure in short]
        raise ValueError(f"inference.n_simulations: of {n} are left {left}; {', or '.join(cures)}")
    compared, rare = n - n // 2, limits["misspecification_p"]
    if compared < fewest_for(rare):
        raise ValueError(
            f"diagnostics.thresholds.misspecification_p: beside {compared} simulations, half of all, no recording can "
            f"be as rare as {rare:g}; raise inference.n_simulations to {2 * fewest_for(rare)}, or the threshold"
        )


def check_evidence(study: Study) -> None:
    """Refuse grades that cannot be measured, unknown methods, and more samples or simulations than the study has."""
    check_required_grade(study)
    diagnostics, n_samples = study["diagnostics"], study["posterior"]["n_samples"]
    if diagnostics["n_predictive"] > n_samples:
        raise ValueError(
            f"diagnostics.n_predictive: {diagnostics['n_predictive']} of {n_samples} samples of the posterior; "
            "lower it, or raise posterior.n_samples"
        )
    inference = resolve_options(study["inference"])
    for name in diagnostics["estimators"]:
        choose("estimator in diagnostics.estimators", name, ESTIMATOR_OPTIONS)
        if study.estimator_names.count(name) > 1:
            raise ValueError(f"diagnostics.estimators: {name} stands twice, or is the study's own; name others, once")
    if diagnostics["estimators"] and not (diagnostics["baselines"] or diagnostics["learning_curve"]):
        raise ValueError("diagnostics.estimators: nothing trains them; add baselines: true or a learning_curve")
    if diagnostics["optimise"] and not diagnostics["baselines"]:
        raise ValueError("diagnostics.optimise: stands among the baselines; add baselines: true")
    held_out = floor(study.n_simulations * inference["test_share"] + 1e-9)
    if diagnostics["local_c2st"] and held_out < LOCAL_TEST:
        raise ValueError(
            f"diagnostics.local_c2st: needs {LOCAL_TEST} held-out simulations, the study has {held_out}; raise "
            "inference.n_simulations or test_share"
        )
    if diagnostics["robust"] and (least := fewest_features(study)) > MOST_ROBUST:
        raise ValueError(
            f"diagnostics.robust: the study has {least} features or more, {MOST_ROBUST} are the most whose joint "
            "density can be learnt; take fewer, as per: [mean, sd] in the place of [node]"
        )
    beyond = [size for size in diagnostics["learning_curve"] if size > study.n_simulations]
    if beyond:
        raise ValueError(
            f"diagnostics.learning_curve: {beyond[0]} simulations, the study has {study.n_simulations}; raise "
            "inference.n_simulations or shorten the curve"
        )


def check_required_grade(study: Study) -> None:
    """Refuse to require a grade of the model for which a score, or the cohort, has nothing to measure it by."""
    grade, scores = study["diagnostics"]["require"], study["diagnostics"]["scores"]
    if grade == "other_person" and len(study.cohort) < 2:
        raise ValueError(
            f"diagnostics.require: {grade} compares with another person's recording, and the cohort has one person; "
            "require above_chance or own_half"
        )
    if grade == "noise_ceiling" and study.deterministic:
        raise ValueError(
            f"diagnostics.require: {grade} compares simulations that differ by noise, and the model has none; require "
            "another grade"
        )
    if grade and (tables := [name for name, row in study.cohort.items() if row["kind"] == "features"]):
        raise ValueError(f"diagnostics.require: {tables[0]} has features alone, no series to grade the model by")
    if grade == "own_half" and (tables := [name for name, row in study.cohort.items() if row["kind"] == "psd"]):
        raise ValueError(
            f"diagnostics.require: a spectrum, as of {tables[0]}, has no other half; require another grade"
        )
    if grade == "own_half" and study.has_series and "part" not in study["recording"]:
        wanted, n_times, fs = score_lengths(study)
        short = [quantity for quantity, options in wanted.items() if not half_is_enough(n_times, fs, options)]
        if short:
            raise ValueError(
                f"diagnostics.require: {grade} needs halves of a recording with more than {HALF_WINDOWS} windows or "
                f"segments each for {', '.join(short)}; the study simulates {n_times / fs:g} s: lengthen "
                "simulation.duration, or require another grade"
            )
    without = [name for name in scores if grade and name in SCORES and not SCORES[name].measures(grade)]
    if without:
        raise ValueError(
            f"diagnostics.require: {grade} is not known of {', '.join(without)}; name other diagnostics.scores, or "
            "another grade"
        )
