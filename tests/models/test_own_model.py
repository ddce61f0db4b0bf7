"""The example of docs/own_model.md works as the page says."""

from dataclasses import replace

import numpy as np
import pytest
from documented import documented_model

from vbiflow.engine import linearise, simulate
from vbiflow.provenance import ROOT

W = np.array([[0, 1, 0], [2, 0, 1], [0, 3, 0]]) / 4


def test_the_documented_model_runs_on_every_engine(tmp_path):
    model = documented_model(tmp_path)
    run = {"n_simulations": 2, "duration": 100.0, "seed": 1, "signals": ["V"], "precision": "float64"}
    slow, fast = (simulate(model, W, {"G": 0.02}, device=device, **run).ts["V"] for device in ("reference", "cpu"))
    np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-12)


def test_the_documented_model_linearises(tmp_path):
    linear = linearise(documented_model(tmp_path), W, {"a": -2.0, "b": -10.0, "G": 0.02})
    assert linear.valid or "limit cycle" in linear.reason


def test_the_documented_error_is_the_one_that_is_raised(tmp_path):
    text = (ROOT / "docs" / "own_model.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="send returns one array") as caught:
        replace(documented_model(tmp_path), send=lambda y, p: y.V)
    assert str(caught.value) in text
