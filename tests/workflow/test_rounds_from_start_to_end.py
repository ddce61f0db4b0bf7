"""Sequential rounds from start to end: a recording that is rare under the prior is compared with the last round's."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from checkout import Copy
from test_tables_from_start_to_end import STUDY, cohort

from vbiflow.diagnostics.misspecification import misspecification, prior_predictive
from vbiflow.io import read, read_attributes
from vbiflow.prior import Prior

PERSON = "results/corner/subjects/truth"


def test_the_verdict_is_made_from_the_files_of_the_last_round(copy: Copy) -> None:
    done = copy.snakemake("-n", "results/tiny@rounds/subjects/101309/verdict.json")
    assert done.returncode == 0, done.stdout[-3000:]
    job = done.stdout[done.stdout.index("rule posterior_predictive:") :]
    inputs = job[job.index("input: ") : job.index("output: ")].removeprefix("input: ").strip().split(", ")
    rounds = {path.rpartition("/")[2] for path in inputs if "/rounds/2/" in path}
    assert rounds == {"prior.h5", "features.h5", "posterior.pt", "diagnostics.json", "diagnostics.h5"}
    assert not any(path.startswith("results/tiny@rounds/101309/") for path in inputs)


@pytest.mark.slow
def test_a_recording_rare_in_the_first_round_and_common_in_the_last_is_judged_by_the_last(copy: Copy) -> None:
    cohort(copy, "virtual", {"truth": ("", "simulated")})
    study = STUDY | {
        "title": "A corner of a wide prior",
        "parameters": {"G": 0.004},
        "prior": {"tau": {"uniform": [5, 200]}, "sigma": {"uniform": [0.02, 2]}},
        "truth": {"truth": {"tau": 6.2, "sigma": 0.032}},
        "simulation": STUDY["simulation"] | {"duration": 10e3, "shard_size": 3000},
        "features": [{"psd": {"segment": 1, "range": [2, 45], "per": ["mean"], "statistics": ["relative"]}}, "sd"],
        "inference": STUDY["inference"] | {"n_simulations": 3000, "rounds": 2},
    }
    (copy.path / "config/studies/corner.yaml").write_text(yaml.safe_dump(study))
    done = copy.snakemake(f"{PERSON}/verdict.json", timeout=2400)
    assert done.returncode == 0, done.stdout[-4000:]
    x_o = read(copy.path / PERSON / "x_o.h5", "x", "names")
    first, last = (
        misspecification(prior_predictive(next(copy.path.glob(pattern))), x_o["x"], x_o["names"], seed=STUDY["seed"])
        for pattern in ("results/corner/[!s]*/features.h5", f"{PERSON}/rounds/2/features.h5")
    )
    assert not first["inside"] and last["inside"] and first["near"] < 0.001, (first, last)
    assert first["near"] < last["near"] and first["distance"] > last["distance"]
    last_round = copy.path / PERSON / "rounds/2"
    share = float(read(last_round / "theta.h5", "share")["share"])
    judged = read(last_round / "diagnostics.h5", "theta", "prior_log_prob")
    prior = Prior.from_plain(read_attributes(last_round / "prior.h5")["prior"])
    truncated = prior.log_prob(judged["theta"]) - np.log(share)
    assert share < 0.5 and judged["prior_log_prob"] == pytest.approx(truncated)
    found = json.loads((copy.path / PERSON / "verdict.json").read_text())
    for key in ("p_value", "distance", "near", "n_compared"):
        assert found["misspecification"][key] == pytest.approx(last[key]), key
    assert found["parts"]["recording"]["verdict"] == "trusted" and "rare under" not in " ".join(found["reasons"])
