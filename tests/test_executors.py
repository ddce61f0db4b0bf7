"""Runs that could submit no job from this machine end before they begin."""

from types import SimpleNamespace

import pytest
from snakemake.cli import get_argument_parser
from snakemake.settings.types import MaxJobsPerTimespan, SchedulingSettings

from vbiflow import executors
from vbiflow.lock import claim_when_run


@pytest.mark.parametrize(
    ("executor", "command", "dry", "refused"),
    [
        ("slurm", None, False, True),
        ("slurm", None, True, False),
        ("slurm", "/usr/bin/sbatch", False, False),
        ("local", None, False, False),
    ],
)
def test_slurm_without_its_command_is_told_in_one_line(tmp_path, monkeypatch, executor, command, dry, refused):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(executors.shutil, "which", lambda name: command)
    workflow = SimpleNamespace(is_main_process=True, execute=lambda plugin: "ran")
    claim_when_run(workflow, lambda: [])
    settings = SimpleNamespace(dryrun_exec=dry, local_exec=executor == "local")
    plugin = SimpleNamespace(name=executor, common_settings=settings)
    if refused:
        with pytest.raises(SystemExit, match=r"^profiles/slurm: no sbatch on this machine; run it on the cluster"):
            workflow.execute(plugin)
        assert not list(tmp_path.iterdir())
    else:
        assert workflow.execute(plugin) == "ran"


@pytest.mark.parametrize(("given", "left"), [("100/1s", None), ("50/1m", (50, 60)), (None, None)])
def test_the_default_limit_of_starts_is_lifted_and_one_that_was_given_stays(given, left):
    limit = given and MaxJobsPerTimespan.parse_choice(given)
    workflow = SimpleNamespace(scheduling_settings=SchedulingSettings(max_jobs_per_timespan=limit))
    executors.lift_default_rate(workflow)
    found = workflow.scheduling_settings.max_jobs_per_timespan
    assert (found and (found.max_jobs, found.timespan)) == left


def test_the_default_limit_is_that_of_snakemake():
    (default,) = [action.default for action in get_argument_parser()._actions if action.dest == "max_jobs_per_timespan"]
    limit = MaxJobsPerTimespan.parse_choice(default) if isinstance(default, str) else default
    assert (limit.max_jobs, limit.timespan) == executors.DEFAULT_RATE
