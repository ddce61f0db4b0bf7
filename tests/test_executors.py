"""Runs that could submit no job from this machine end before they begin."""

from types import SimpleNamespace

import pytest

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
