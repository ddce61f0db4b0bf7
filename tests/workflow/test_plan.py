"""What a plan says of a study: jobs, submissions, hours; and, slow, beside what two studies then take."""

import resource
import subprocess
import sys

import pytest
import yaml

from vbiflow.provenance import ROOT
from vbiflow.study import load_study
from vbiflow.study.demand import demand
from vbiflow.study.plan import count_jobs, count_submissions, loaded_packages, plan_study, slurm_groups
from vbiflow.study.timing import some_connectome, time_simulations

PEOPLE = 200
A_PERSON = {
    "connectome": 1, "observe": 1, "prior": 1, "simulate": 4, "features": 4, "gather": 1, "features_report": 1,
    "train": 1, "calibrate": 1, "sample": 1, "sensitivity": 1, "figures_estimator": 1, "simulate_predictive": 1,
    "features_predictive": 1, "posterior_predictive": 1, "figures_subject": 1,
}  # fmt: skip
"""Jobs of each person of a study such as the demo, in four shards."""


def test_a_person_costs_five_submissions_at_most():
    groups, components = slurm_groups()
    jobs = {rule: PEOPLE * number for rule, number in A_PERSON.items()}
    found = count_submissions(jobs | {"exclusions": 1, "tabulate": 1, "report": 1}, groups, components)
    assert found < 5 * PEOPLE and found < 1000
    assert count_submissions(A_PERSON, groups, {}) == 5 + 3  # each shard a submission of its own


@pytest.mark.parametrize(("rule", "packages"), [
    ("train", "torch"), ("train_baseline", "torch"), ("train_round", "torch"), ("sample_baseline", "torch"),
    ("simulate", "light"), ("features_report", "light"), ("figures_subject", "drawing"),
])  # fmt: skip
def test_a_plan_knows_what_a_job_loads_before_it_begins(rule, packages):
    assert loaded_packages(rule) == packages


def test_groups_of_the_profile_are_rules_and_what_simulates_is_grouped():
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    groups, components = slurm_groups()
    assert all(f"rule {rule}:" in rules or f" as {rule} with:" in rules for rule in groups)
    assert components.keys() <= set(groups.values())
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    assert "gpu" not in str(profile.get("set-resources", {})), "a GPU is asked for on demand alone"


def test_jobs_of_a_plan_are_those_of_a_run():
    study = load_study("tiny")
    jobs = count_jobs(study)
    assert jobs["simulate"] == len(study.shards) == jobs["features"] and jobs["train"] == jobs["report"] == 1


def test_a_plan_counts_simulations_disk_and_hours():
    study = load_study("tiny")
    plan = plan_study(study, cores=[2])
    assert 0 < plan.core_hours < 1 and plan.wall_hours(2) >= plan.core_hours / 2
    series = 320 * 8 * 1200 * 4e-9  # GB of two shards on each core, or of all 310 and 30 simulations if that is less
    assert plan.temporary == pytest.approx(min(series, 330 * 8 * 1200 * 4e-9), rel=0.1)
    assert plan.memory.keys() >= {"simulate", "features", "train", "figures", "report"}
    assert plan.memory["train"] == demand(study, "train")["mem_mb"] and "learning_curve" not in plan.memory
    for word in ("core hours", "GPU hours", "peak memory", "wall time", "300 of 8 regions", "on 2 cores like these"):
        assert word in plan.text()


def test_a_study_with_measurement_noise_of_the_recording_is_timed_before_there_is_one():
    study = load_study("hcp_models@noise")
    seconds, simulations = time_simulations(study, some_connectome(study))
    assert seconds > 0 and simulations.valid.all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny", "hcp_linear@demo"])
def test_a_plan_is_within_a_fifth_of_the_truth(name, copy):
    expected = plan_study(load_study(name))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--", f"results/{name}/report.html"]
    subprocess.run(command, cwd=copy.path, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert expected.core_hours * 3600 == pytest.approx(seconds, rel=0.2)
