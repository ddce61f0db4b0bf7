"""Random numbers: published answers, moments, and that nothing shares noise."""

import numpy as np
import pytest
from numba import njit, uint32
from scipy import stats

from vbiflow.engine import float32, float64, noise, philox

ANSWERS = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@njit
def kernel_words(counter, key):
    return noise.philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1])


@pytest.mark.parametrize(("counter", "key", "answer"), ANSWERS)
def test_known_answers_of_random123(counter, key, answer):
    assert philox.philox(np.array(counter), np.array(key)).tolist() == answer
    assert list(kernel_words(np.array(counter, np.uint64), np.array(key, np.uint64))) == answer


def polar(module):
    radius, circle = module.radius, module.circle

    @njit
    def both(k, r, s, c):
        for i in range(len(k)):
            r[i] = radius(uint32(k[i]))
            s[i], c[i] = circle(uint32(k[i]))

    return both


@pytest.mark.parametrize(("module", "dtype", "tolerance"), [(float32, np.float32, 4e-7), (float64, np.float64, 1e-15)])
def test_box_muller_of_the_kernels_is_that_of_numpy_to_rounding(module, dtype, tolerance):
    edges = [0, 1, 2**29, 2**30, 2**31 - 1, 2**31, 0xB504F332, 0xB504F333, 2**32 - 2, 2**32 - 1]
    k = np.concatenate([edges, np.random.default_rng(0).integers(0, 2**32, 20_000)]).astype(np.uint32)
    r, s, c = (np.empty(len(k), dtype) for _ in range(3))
    polar(module)(k, r, s, c)
    exact = -2 * np.log1p(-(2.0**32 - k.astype(np.longdouble) - 0.5) / 2.0**32)
    angle = 2 * np.pi * k.astype(np.longdouble) / 2**32
    assert np.max(np.abs(r / np.sqrt(exact) - 1)) < tolerance
    assert np.max(np.abs(s - np.sin(angle))) < tolerance
    assert np.max(np.abs(c - np.cos(angle))) < tolerance


@pytest.mark.parametrize("n_variables", [1, 2, 3, 5])
def test_normals_are_standard_and_independent(n_variables):
    steps = [philox.normals(7, np.arange(400), step, 0, n_variables, 21) for step in range(3)]
    z = np.stack(steps)
    assert z.shape == (3, 400, n_variables, 21)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    for axis in range(4):
        front, back = np.moveaxis(z, axis, 0)[:-1].ravel(), np.moveaxis(z, axis, 0)[1:].ravel()
        if len(front):
            assert abs(np.corrcoef(front, back)[0, 1]) < 5 / np.sqrt(len(front))
    assert len(np.unique(z)) == z.size


def test_every_part_of_the_address_changes_the_numbers():
    draw = {"seed": 1, "simulations": np.arange(4), "step": 5, "stream": 0, "n_variables": 1, "n_nodes": 8}
    base = philox.normals(**draw)
    others = [{"seed": 2}, {"seed": 1 + 2**32}, {"simulations": np.arange(4, 8)}, {"step": 6}, {"stream": 1}]
    for other in others:
        assert not np.isin(philox.normals(**draw | other), base).any()
    initial = philox.words(1, np.arange(4), 0, 0, philox.INITIAL, 1, 8)
    assert not np.isin(initial, philox.words(1, np.arange(4), 0, 0, philox.NOISE, 1, 8)).any()


def test_tails_reach_beyond_five():
    z = np.concatenate([philox.normals(3, np.arange(2000), step, 0, 1, 200).ravel() for step in range(10)])
    expected = len(z) * 2 * stats.norm.sf(4)
    assert abs(np.count_nonzero(np.abs(z) > 4) - expected) < 5 * np.sqrt(expected)
    k = philox.philox(np.zeros(4), np.zeros(2))
    assert k.dtype == np.uint32
    assert np.sqrt(-2 * np.log(0.5 / 2**32)) > 6.6
