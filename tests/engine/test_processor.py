"""Subnormal numbers are zero within a kernel, and only there."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numba import njit

from vbiflow.engine import processor, simulate
from vbiflow.models import MODELS

flushing = pytest.mark.skipif(not processor.FLUSH, reason="this processor's control word is not known")
SUBNORMAL = {"float32": 1e-41, "float64": 1e-310}


@njit
def words():
    return processor.control_word()


@njit
def around(x):
    before = processor.begin_batch()
    within = processor.control_word()
    product = x[0] * x[1]
    processor.end_batch(before)
    return before, within, processor.control_word(), product, x[0] * x[1]


@flushing
def test_the_control_word_is_set_and_restored():
    before, within, after, flushed, kept = around(np.array([1e-300, 1e-10]))
    control = ~0x3F  # the lowest bits tell of what has happened
    assert before & control == after & control == words() & control and before & processor.FLUSH == 0
    assert within & processor.FLUSH == processor.FLUSH and flushed == 0.0 and kept > 0.0


def tiny(precision, device, **options):
    """The last sample of a state that begins subnormal and hardly decays."""
    parameters = {"tau": 1e6, "G": 0.0, "sigma": 0.0}
    return simulate(
        replace(MODELS["linear"], time_scale=lambda p: p.tau),
        np.zeros((3, 3)),
        parameters,
        **{"n_simulations": 70, "duration": 5, "dt": 1, "seed": 1, "signals": ["x"], "device": device} | options,
        initial={"x": SUBNORMAL[precision]},
        precision=precision,
    ).ts["x"]


@flushing
@pytest.mark.parametrize("precision", SUBNORMAL)
def test_kernels_flush_subnormal_numbers_in_every_thread_and_leave_the_caller_alone(precision):
    with ThreadPoolExecutor(2) as pool:
        assert (tiny(precision, "cpu", threads=2) == 0).all()
        assert all(word & processor.FLUSH == 0 for word in [words(), *pool.map(lambda _: words(), range(4))])
    assert np.float32(1e-41) * np.float32(1) > 0 and (tiny(precision, "reference") > 0).all()


@pytest.mark.filterwarnings("ignore:overflow encountered in exp")
def test_saturated_columns_are_the_reference():
    """Sigmoids and exponentials far below the smallest number."""
    options = {"n_simulations": 3, "duration": 30.0, "dt": 0.1, "seed": 2, "signals": ["eeg"], "precision": "float64"}
    weights = np.random.default_rng(0).random((4, 4))
    fast, slow = (
        simulate("jansen_rit", weights, {"C": np.array([[135.0], [500.0], [5000.0]])}, device=device, **options).ts
        for device in ("cpu", "reference")
    )
    np.testing.assert_allclose(fast["eeg"], slow["eeg"], rtol=1e-9, atol=1e-9)
