"""A model or feature that breaks its contract says so when it is made, by the name of the member."""

from dataclasses import replace

import numpy as np
import pytest

from vbiflow.engine import simulate
from vbiflow.features import feature
from vbiflow.features.batch import Batch
from vbiflow.features.extraction import extract
from vbiflow.features.feature import Option
from vbiflow.features.nodes import Nodes
from vbiflow.features.registry import Request
from vbiflow.models import MODELS, Parameter, State

WONG_WANG = MODELS["wong_wang"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"send": lambda y, p: y.S},
            "model wong_wang: send returns one array, not a tuple of 1, one for S; write a",
        ),
        ({"send": lambda y, p: (y.S, y.S)}, "send returns 2 values, not a tuple of 1, one for S"),
        ({"dfun": lambda y, c, p: None}, "dfun returns NoneType"),
        ({"dfun": lambda y, c, p: (y.S.sum(),) * 2}, "dfun returns 2 values"),
        ({"dfun": lambda y, c, p: (y.S.sum(0),)}, r"dfun, value of S: found shape \(3,\) for states of \(2, 3\)"),
        ({"dfun": lambda y, c, p: (y.s,)}, "dfun: 'y' object has no attribute 's'; y has S; c has S; p has a, b, d"),
        ({"signals": {"S": lambda y, p: y}}, r"signal S: found shape \(1, 2, 3\)"),
        ({"signals": {}}, "it has no signal"),
        ({"sends": "S"}, r"its inputs are the text 'S'; write a tuple, \('S',\)"),
        ({"sends": ("S", "S")}, "input 'S' stands twice"),
        ({"states": {"2S": State((0.0, 1.0))}}, "state '2S' is no name"),
        ({"states": {"S": State(0.1)}}, r"initial of state S is 0.1; write \(low, high\)"),
        ({"states": {"S": State((0.2, 0.1), noise=1.0)}}, "initial of state S"),
        ({"states": {"S": State((0.0, 0.1))}}, "it has sigma, but no state with noise"),
        ({"parameters": WONG_WANG.parameters | {"lambda": Parameter(1.0, "1", "x")}}, "parameter 'lambda' is no name"),
        ({"parameters": WONG_WANG.parameters | {"w": Parameter("a", "1", "x")}}, "parameter w has the value 'a'"),
        ({"parameters": WONG_WANG.parameters | {"w": Parameter(1.0, "", "x")}}, "parameter w has no unit"),
        ({"coupling": "diffusive"}, "coupling is 'diffusive'; write linear or difference"),
        ({"gains": {"E": "G"}}, "gains name the input 'E'; it has S"),
        ({"units": {"rate": "Hz"}}, "units name the signal 'rate'; it has S, bold_input"),
        ({"gains": {"S": "g"}}, "gains name the parameter 'g'"),
        ({"defaults": {"step": 1.0}}, "defaults hold step; they are dt and integrator"),
        ({"defaults": {"dt": 200.0}}, "default dt 200.0 is not between 0 and its shortest time constant, 100 ms"),
        ({"time_scale": lambda p: -p.tau_s}, "time_scale gives -100"),
    ],
)
def test_a_model_that_breaks_its_contract_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        replace(WONG_WANG, **changes)
    assert "\n" not in str(caught.value)


def test_integration_defaults_to_the_models_own():
    run = {"n_simulations": 2, "duration": 40.0, "seed": 1, "signals": ["x"]}
    by_default = simulate("stuart_landau", np.ones((2, 2)), {}, **run).ts["x"]
    named = simulate("stuart_landau", np.ones((2, 2)), {}, dt=0.1, integrator="heun", **run).ts["x"]
    other = simulate("stuart_landau", np.ones((2, 2)), {}, dt=0.1, integrator="euler", accept=["dt"], **run).ts["x"]
    assert by_default.tobytes() == named.tobytes() != other.tobytes()


def swing(batch, *, of):
    """Values."""
    yield ["swing"], batch.ts[:, :1, 0]


OF = Option("node", "text", "of what")


@pytest.mark.parametrize(
    ("function", "given", "message"),
    [
        (swing, {"name": "my swing", "of": OF}, "feature 'my swing': the name is a word"),
        (swing, {"unit": "", "of": OF}, "feature swing: unit is ''"),
        (swing, {}, r"its function takes of, which is no option; declare @feature\('swing', of=Option"),
        (swing, {"of": OF, "per": OF}, "its function does not take the option per; add it after the"),
        (swing, {"of": "node"}, "option of: 'node' is no Option"),
        (swing, {"of": Option(3, "text", "of what")}, "feature swing, option of: default 3 is not a text"),
        (lambda batch: batch.ts, {}, "its function yields nothing; write yield names, values"),
    ],
)
def test_a_feature_that_breaks_its_contract_is_refused_when_it_is_made(function, given, message):
    with pytest.raises(ValueError, match=message):
        feature(**{"name": "swing"} | given)(function)


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (lambda ts: ts[:, :, 0], r"feature own yields an array of shape \(2, 3\); yield names, values with values of"),
        (lambda ts: ("own", ts[:, :1, 0]), "yields the names 'own'"),
        (lambda ts: (["a"], ts[:, 0, 0]), r"yields 1 names and values of shape \(2,\)"),
        (lambda ts: (["a"], ts[:1, :1, 0]), r"yields 1 names and values of shape \(1, 1\)"),
        (lambda ts: (["a"], [ts[:, 0, 0]]), r"values of shape \(2,\)"),
        (lambda ts: (["a"], ts[:, :2, 0]), "gave 1 names for values of shape"),
        (lambda ts: [["a"], ts[:, :1, 0]], "yields a list"),
    ],
)
def test_what_a_feature_yields_is_told_in_its_name(piece, message):
    @feature("own")
    def own(batch):
        yield piece(batch.ts)

    ts = np.random.default_rng(0).random((2, 3, 8))
    with pytest.raises(ValueError, match=message):
        extract(Batch(ts, 1.0, Nodes.plain(3)), [Request(own, "own", {})])
