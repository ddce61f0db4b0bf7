"""Elementary functions of the kernels: a few units in the last place, and not-a-number passes through."""

import numpy as np
import pytest
from numba import njit

from vbiflow.engine import float32, float64
from vbiflow.models import maths

RANGES = {
    "exp": (-80, 80),
    "expm1": (-3, 3),
    "log": (1e-6, 5),
    "tanh": (-8, 8),
    "sin": (-100, 100),
    "cos": (-100, 100),
    "sqrt": (0, 100),
}
KINDS = [(float32, np.float32, np.float64), (float64, np.float64, np.longdouble)]


def loop(function):
    @njit
    def run(x, out):
        for i in range(len(x)):
            out[i] = function(x[i])

    return run


@pytest.mark.parametrize(("module", "dtype", "wide"), KINDS)
@pytest.mark.parametrize("name", RANGES)
def test_error_is_a_few_units_in_the_last_place(name, module, dtype, wide):
    low, high = RANGES[name]
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(low, high, 20_000), rng.uniform(low, high, 20_000) * 1e-3]).astype(dtype)
    out = np.empty_like(x)
    loop(getattr(module, name))(x, out)
    exact = getattr(np, name)(x.astype(wide))
    assert np.max(np.abs(out - exact) / np.spacing(np.abs(exact).astype(dtype))) < 5


@pytest.mark.parametrize(("module", "dtype", "wide"), KINDS)
def test_limits(module, dtype, wide):
    x = np.array([np.nan, -1e4, 1e4, 0.0], dtype)
    values = {}
    for name in ("exp", "expm1", "tanh", "sin", "log"):
        out = np.empty_like(x)
        loop(getattr(module, name))(x, out)
        values[name] = out
        assert np.isnan(out[0]), name
    assert values["exp"][1] < 1e-37 and values["exp"][2] > 1e37 and values["exp"][3] == 1
    assert values["expm1"][3] == 0 and values["tanh"].tolist()[1:] == [-1, 1, 0]
    assert np.isnan(values["log"][1]) and values["log"][3] == -np.inf


def test_both_precisions_define_every_function_of_the_equations():
    for name in maths.FUNCTIONS:
        assert hasattr(float32, name) and hasattr(float64, name), name
    assert set(RANGES) == set(maths.FUNCTIONS) - {"where"}
