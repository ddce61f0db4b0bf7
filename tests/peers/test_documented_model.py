"""The example of docs/own_model.md against tvb-library's Generic2dOscillator (`make test-peers`)."""

import sys
from pathlib import Path

import numpy as np
import pytest

from vbiflow.engine import simulate

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from documented import documented_model

pytestmark = pytest.mark.peers
lab = pytest.importorskip("tvb.simulator.lab")

N, DT, STEPS = 4, 0.1, 500
WEIGHTS = np.random.default_rng(5).integers(0, 4, (N, N)) * (1 - np.eye(N)) / 8
INITIAL = {"V": np.linspace(-1, 1, N), "W": np.linspace(2, -2, N)}
OWN = {"G": 0.3, "I": 0.2, "a": -1.5, "c": 0.4, "e": 2.5, "g": 0.3, "alpha": 0.8, "beta": 1.2, "gamma": 0.7, "tau": 1.3}


@pytest.fixture
def double(monkeypatch):
    """TVB's history in double precision."""
    history = pytest.importorskip("tvb.simulator.history")
    for owner in (history.BaseHistory, history.DenseHistory, history.SparseHistory):
        for array in vars(owner).values():
            if getattr(array, "dtype", None) == "f":
                monkeypatch.setattr(array, "dtype", "d")


def test_the_documented_model_is_tvbs(tmp_path, double):
    model = documented_model(tmp_path)
    values = {name: parameter.value for name, parameter in model.parameters.items()} | OWN
    run = {"n_simulations": 1, "duration": STEPS * DT, "dt": DT, "integrator": "euler", "seed": 1}
    run |= {"initial": INITIAL, "signals": ["V"], "precision": "float64", "device": "reference"}
    ours = simulate(model, WEIGHTS, OWN | {"sigma": 0.0}, **run).ts["V"][0]
    names = "tau I a b c d e f g alpha beta gamma"
    connectome = lab.connectivity.Connectivity(
        weights=WEIGHTS,
        tract_lengths=np.zeros((N, N)),
        speed=np.array([1.0]),
        region_labels=np.array([str(k) for k in range(N)]),
        centres=np.zeros((N, 3)),
    )
    connectome.configure()
    connectome.set_idelays(DT)
    simulator = lab.simulator.Simulator(
        model=lab.models.Generic2dOscillator(**{name: np.array([values[name]]) for name in names.split()}),
        connectivity=connectome,
        coupling=lab.coupling.Linear(a=np.array([values["G"]]), b=np.array([0.0])),
        integrator=lab.integrators.EulerDeterministic(dt=DT),
        monitors=(lab.monitors.Raw(),),
        initial_conditions=np.tile(np.stack([*INITIAL.values()])[None, :, :, None], (connectome.horizon, 1, 1, 1)),
    )
    simulator.configure()
    ((_, course),) = simulator.run(simulation_length=STEPS * DT)
    np.testing.assert_allclose(ours, course[:STEPS, 0, :, 0].T, rtol=1e-10, atol=1e-12)
