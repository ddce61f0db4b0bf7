"""What jobs are said to need, beside what they took, and how it grows with the study."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vbiflow.engine.blocks import MOST_BYTES
from vbiflow.inference.baselines import MOST_SIMULATIONS
from vbiflow.inference.inputs import IN_MEMORY, SURVEYED
from vbiflow.study import demand as demands
from vbiflow.study import load_study
from vbiflow.study.checks import check_resources
from vbiflow.study.demand import BASE, MEMORY, MINUTES, SNAKEMAKE, TORCH, count_regions, demand, size_of


def test_demand_grows_with_what_a_job_holds():
    study = load_study("hcp_wong_wang")
    on_cpu, on_gpu = (demand(study, "simulate", device)["mem_mb"] for device in ("cpu", "cuda"))
    study.settings["simulation"]["shard_size"] = 2000
    assert demand(study, "simulate")["mem_mb"] - on_cpu < 2 * demands.BLOCKS, "a shard streams to its file"
    assert demand(study, "simulate", "cuda")["mem_mb"] - on_gpu > 900, "a GPU simulates it at once"
    study.settings["inference"]["n_simulations"] = 500_000
    assert demand(study, "train")["mem_mb"] > 1000


@pytest.mark.parametrize(
    ("rule", "peak"),
    [("train", 1672), ("baselines", 1679), ("learning_curve", 1672), ("calibrate", 1100), ("features_report", 1100)],
)
def test_half_a_million_simulations_are_learnt_from_in_three_gigabytes(rule, peak):
    """Of 89 parameters and 354 features; `peak` is what was measured [MB], of the last two of theta alone."""
    size = size_of(load_study("tiny"))._replace(simulations=500_000, parameters=89, features=354)
    asked = BASE.get(rule, 900) + MEMORY[rule](size)
    assert peak < asked and asked + SNAKEMAKE < 3000


FEATURES = {
    "jansen_rit@quick": 924,
    "wilson_cowan_mean@quick": 10,
    "epileptor@quick": 169,
    "epileptor_fast@quick": 84,
    "montbrio@quick": 794,
    "montbrio_noise@quick": 40,
    "wong_wang_maps@quick": 367,
    "stuart_landau@quick": 20,
    "hcp_linear@demo": 56,
}
"""Features of finished runs."""


@pytest.mark.parametrize("study", FEATURES)
def test_features_are_counted_by_region_and_statistic_rather_too_many(study):
    assert FEATURES[study] <= size_of(load_study(study)).features <= 6 * FEATURES[study]


TOOK = {
    ("hcp_linear@demo", "train", 2000, 4): 0.13,
    ("ou_network", "train", 10000, 1): 0.27,
    ("tiny", "train", 300, 1): 0.08,
    ("wilson_cowan@quick", "train", 5000, 1): 0.49,
    ("jansen_rit_coupling@quick", "train", 2000, 1): 0.05,
    ("hcp_linear@demo", "calibrate", 2000, 4): 0.10,
    ("ou_network", "calibrate", 10000, 1): 0.11,
    ("wilson_cowan@quick", "calibrate", 5000, 1): 0.47,
    ("montbrio_fc@quick", "calibrate", 1500, 1): 0.07,
    ("wilson_cowan_mean@quick", "baselines", 4000, 1): 1.68,
    ("wilson_cowan_coupling@quick", "learning_curve", 2000, 1): 0.07,
    ("hcp_linear@demo", "simulate", 2000, 4): 0.41,
    ("hcp_models@wong_wang", "simulate", 1000, 4): 0.58,
    ("stuart_landau@quick", "simulate", 1000, 1): 1.26,
    ("epileptor@quick", "simulate", 4000, 1): 0.07,
}
"""Minutes of processor time of jobs with so many simulations and members, as benchmarks say (AMD Zen 5, one thread)."""


@pytest.mark.parametrize(("study", "rule", "n_simulations", "members"), TOOK)
def test_time_asked_for_is_enough_and_not_many_times_what_is_used(study, rule, n_simulations, members):
    """Another processor may be half as fast; the start of a job, a few seconds, is part of what it took."""
    took, size = TOOK[study, rule, n_simulations, members], size_of(load_study(study))
    minutes = demands.MARGIN * MINUTES[rule](size._replace(simulations=n_simulations, members=members))
    assert 2 * took < minutes + 1 and minutes < 30 * took + 1
    assert demand(load_study(study), rule)["runtime"] <= demands.START + 1 + demands.MARGIN * MINUTES[rule](size)


def test_bounds_are_those_of_the_code():
    assert (MOST_SIMULATIONS, SURVEYED[0]) == (demands.COMPARED, demands.SURVEYED)
    assert demands.INPUTS * 1e6 > IN_MEMORY


def test_a_pool_holds_everybodys_connectome():
    size = size_of(load_study("tiny@cohort"))
    assert MEMORY["pool_connectomes"](size._replace(people=1000, nodes=400)) > 1000 * 2 * 400**2 * 8e-6
    assert MEMORY["pool_connectomes"](size._replace(pooled=False)) == 0


def test_a_shard_that_streams_asks_for_what_it_holds_at_a_time():
    """500 simulations of 84 regions and 12 000 samples, 2 GB, took 0.7 GB by themselves."""
    study = load_study("hcp_wong_wang")
    study.settings["simulation"]["duration"] = 12_000 * 720.0
    size = size_of(study)
    assert size.samples == 12_000 and size.shard == 500
    assert 692 / 0.9 < demand(study, "simulate")["mem_mb"] - SNAKEMAKE < 1000
    assert demands.BLOCKS * 1e6 == MOST_BYTES


def test_regions_are_counted_as_they_are_selected():
    assert count_regions(load_study("tiny")) == 8


def test_regions_of_a_matrix_with_a_header_are_counted_and_of_one_to_be_fetched_assumed(tmp_path):
    rows = [",".join("abc"), *(",".join(map(str, row)) for row in (1 - np.eye(3)))]
    (tmp_path / "weights.csv").write_text("\n".join(rows))
    assert demands.count_selected(str(tmp_path / "weights.csv"), "", "{}") == 3
    assert demands.count_selected(str(tmp_path / "gone.csv"), "", "{}") == demands.UNKNOWN_REGIONS


def test_of_many_people_whose_matrices_bring_their_own_names_one_is_read(monkeypatch):
    seen, study = [], load_study("tiny")
    monkeypatch.setattr(demands, "count_selected", lambda *row: seen.append(row) or 3)
    row = dict(next(iter(study.cohort.values())), regions="")
    people = {f"{k}": row | {"weights": f"{k}.csv"} for k in range(9)}
    assert count_regions(replace(study, cohort=people)) == 3 and [weights for weights, *_ in seen] == ["0.csv"]


@pytest.mark.parametrize("rule", [*BASE, *TORCH, *MEMORY, *MINUTES])
def test_every_entry_is_a_rule(rule):
    rules = "".join(path.read_text() for path in (Path(__file__).parents[1] / "rules").glob("*.smk"))
    assert f'memory("{rule}")' in rules or rule in ("ablate",), rule


def test_a_study_may_set_the_resources_of_every_rule_and_no_other():
    study = load_study("tiny")
    for rule in ("connectome", "simulate", "figures", "report", "posterior_predictive"):
        study.settings["resources"] = {rule: {"mem_mb": 100}}
        check_resources(study)
    study.settings["resources"] = {"simulat": {"mem_mb": 100}}
    with pytest.raises(ValueError, match=r"unknown rule in resources 'simulat'; choose from .*simulate"):
        check_resources(study)
