"""What is said of jobs that ended without a word of their own."""

import pytest

from vbiflow.study.checks import rules_with_resources
from vbiflow.termination import describe_ends, resource_name

COMMAND = "Command 'set -euo pipefail;  python /home/a b/.snakemake/scripts/tmpx_1.train.py'"
ERROR = """Error in rule train:
    message: None
    output: results/tiny/101309/posterior.pt
    log: results/tiny/101309/logs/train.log (check log file(s) for error details)
"""


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (
            f"{COMMAND} died with <Signals.SIGKILL: 9>.\n{ERROR}Logfile a/train.log not found.",
            "train: killed from outside",
        ),
        (f"{COMMAND} returned non-zero exit status 137.\n{ERROR}", r"resources: {train: {mem_mb: ...}} in the study"),
        (
            f"{COMMAND} returned non-zero exit status 1.\n{ERROR}Logfile a/train.log not found.",
            "out of memory: raise the",
        ),
        (f"{COMMAND} returned non-zero exit status 1.\n{ERROR}Logfile a/train.log:\nNo such option", None),
        (f"{COMMAND} died with <Signals.SIGTERM: 15>.\n{ERROR}Logfile a/train.log not found.", None),
        ("25 of 25 steps (100%) done", None),
    ],
)
def test_a_job_killed_or_speechless_is_told_in_one_line(tmp_path, log, line):
    path = tmp_path / "snakemake.log"
    path.write_text(log)
    found = describe_ends([str(path)])
    assert (not found) if line is None else (len(found) == 1 and line in found[0])
    assert describe_ends(str(path)) == found


@pytest.mark.parametrize(
    "rule",
    [
        *rules_with_resources(),
        "ablate",
        "train_baseline",
        "train_round",
        "sample_baseline",
        "simulate_round_kept",
        "features_predictive",
        "figures_cohort",
        "report_subject",
    ],
)
def test_a_remedy_names_what_a_study_can_set(rule):
    """Rules that do what another does, with other files, have its resources."""
    name = resource_name(rule)
    assert name in rules_with_resources() and (name == rule or rule not in rules_with_resources())
