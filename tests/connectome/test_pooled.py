from dataclasses import replace

import numpy as np
import pytest

from vbiflow.connectome import Connectome
from vbiflow.connectome.pool import BLOCK, SUMMARIES, connectome_summaries, draws_from, mean_connectome
from vbiflow.engine import simulate_draws
from vbiflow.engine.pool import simulate_pool
from vbiflow.prior import Prior


def person(seed, n=6):
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)) * (rng.random((n, n)) < 0.7)
    np.fill_diagonal(weights, 0)
    sides = tuple("LLLRRR"[:n])
    return Connectome(
        weights, np.full((n, n), 10.0), tuple(f"r{k}" for k in range(n)), np.zeros((n, 3)), sides, ("",) * n
    )


PEOPLE = [person(seed) for seed in range(4)]


def test_a_draw_belongs_to_the_seed_and_the_block():
    pool = draws_from(PEOPLE, {"mix": False})
    drawn = [pool.draw(1, k).weights for k in range(0, 40 * BLOCK, BLOCK)]
    assert np.array_equal(pool.draw(1, 3).weights, drawn[0]) and np.array_equal(
        pool.draw(1, BLOCK + 5).weights, drawn[1]
    )
    owners = [[np.array_equal(weights, one.weights) for one in PEOPLE].index(True) for weights in drawn]
    assert set(owners) == {0, 1, 2, 3}


def test_a_mixed_draw_lies_between_two_people_and_a_perturbed_one_near():
    for block in range(20):
        weights = draws_from(PEOPLE, {}).draw(2, block * BLOCK).weights
        fits = []
        for first in PEOPLE:
            for second in PEOPLE:
                design = np.stack([first.weights.ravel(), second.weights.ravel()], axis=1)
                share, *_ = np.linalg.lstsq(design, weights.ravel(), rcond=None)
                fits.append((np.abs(design @ share - weights.ravel()).max(), share.sum()))
        assert min(fits)[0] < 1e-12
    noisy = draws_from(PEOPLE, {"mix": False, "perturb": 0.1}).draw(2, 0).weights
    plain = draws_from(PEOPLE, {"mix": False}).draw(2, 0).weights
    assert np.array_equal(noisy == 0, plain == 0)
    assert np.log(noisy[plain > 0] / plain[plain > 0]).std() == pytest.approx(0.1, rel=0.4)


def test_summaries_by_hand():
    weights = np.array([[0, 2.0, 0], [1, 0, 0], [0, 0, 0]])
    lengths = np.array([[0, 30.0, np.nan], [60.0, 0, np.nan], [np.nan, np.nan, 0]])
    known = replace(person(1, 3), weights=weights, tract_lengths=lengths, hemispheres=("L", "R", "R"))
    found = dict(zip(SUMMARIES, connectome_summaries(known), strict=True))
    assert found["radius"] == pytest.approx(np.sqrt(2))
    assert found["total"] == 3 and found["density"] == pytest.approx(2 / 9) and found["within"] == 0
    assert found["asymmetry"] == pytest.approx(1 / 3)
    assert found["participation"] == pytest.approx(1 / (3 * ((2 / 3) ** 2 + (1 / 3) ** 2)))
    assert found["gap"] == pytest.approx(1) and found["length"] == pytest.approx(40)
    assert found["strength[0.5]"] == 1 and found["strength[0.9]"] == pytest.approx(1.8)


PRIOR = Prior.from_config({"G": {"uniform": [0.1, 0.4]}})
BLOCKS = {}, {"duration": 40.0, "dt": 1.0}, {"signals": {"x": {"period": 1.0}}}


def simulated(people, options, theta, start=0):
    return simulate_pool("linear", people, options, PRIOR, theta, *BLOCKS, seed=3, start=start)


def test_same_bytes_for_any_sharding_and_each_on_its_own_connectome():
    theta, cut = PRIOR.sample(1, 0, BLOCK + 9), 11
    whole, conditioning = simulated(PEOPLE, {}, theta)
    parts = [simulated(PEOPLE, {}, theta[:cut]), simulated(PEOPLE, {}, theta[cut:], cut)]
    assert np.array_equal(np.concatenate([part.ts["x"] for part, _ in parts]), whole.ts["x"])
    assert np.array_equal(
        np.concatenate([some["conditioning"].values for _, some in parts]), conditioning["conditioning"].values
    )
    drawn = draws_from(PEOPLE, {}).draw(3, BLOCK + 8)
    last = simulate_draws("linear", drawn, PRIOR, theta[-1:], *BLOCKS, seed=3, start=BLOCK + 8)
    assert np.array_equal(last.ts["x"][0], whole.ts["x"][-1])
    assert conditioning["conditioning"].values[-1] == pytest.approx(connectome_summaries(drawn))


def test_one_person_is_simulated_as_ever_and_conditioned_on_in_a_pool():
    theta = PRIOR.sample(1, 0, 3)
    plain, nothing = simulated(PEOPLE[:1], None, theta)
    own, conditioning = simulated(PEOPLE[:1], {"perturb": 0.5}, theta)
    assert nothing == {} and np.array_equal(plain.ts["x"], own.ts["x"])
    assert np.array_equal(conditioning["conditioning"].values[2], connectome_summaries(PEOPLE[0]))


def test_mean_connectome_and_other_regions():
    mean = mean_connectome(PEOPLE)
    assert mean.weights == pytest.approx(np.mean([one.weights for one in PEOPLE], axis=0))
    assert mean.tract_lengths == pytest.approx(np.full((6, 6), 10.0))
    with pytest.raises(ValueError, match=r"1 connectomes are left to learn from, two or more are needed"):
        mean_connectome(PEOPLE[:1])
    with pytest.raises(ValueError, match=r"connectome 2 of the cohort has other regions than the first"):
        draws_from([PEOPLE[0], person(1).take([1, 0, 2, 3, 4, 5])], {})


def test_lengths_are_those_of_the_connections_drawn():
    """A connection that only one of two people has keeps that one's length; one of both lies between."""
    lengths = [np.where(one.weights != 0, 10.0 * (k + 1), np.nan) for k, one in enumerate(PEOPLE)]
    people = [replace(one, tract_lengths=length) for one, length in zip(PEOPLE, lengths, strict=True)]
    for block in range(12):
        drawn = draws_from(people[:2], {}).draw(2, block * BLOCK)
        first, second = (one.weights != 0 for one in people[:2])
        both, found = first & second, drawn.tract_lengths
        share = (20 - found[both]) / 10
        assert np.ptp(share) < 1e-12 and -1e-12 <= share[0] <= 1 + 1e-12
        if 0.01 < share[0] < 0.99:
            assert found[first & ~second] == pytest.approx(10) and found[second & ~first] == pytest.approx(20)
        expected = share[0] * people[0].weights + (1 - share[0]) * people[1].weights
        assert drawn.weights == pytest.approx(expected, abs=1e-12)
        assert np.isfinite(found[drawn.weights != 0]).all()


def test_each_simulation_has_the_delays_of_its_own_connectome():
    prior = Prior.from_config({"G": {"uniform": [0.1, 0.4]}, "speed": {"uniform": [2.0, 8.0]}})
    people = [replace(one, tract_lengths=one.tract_lengths * (k + 1)) for k, one in enumerate(PEOPLE)]
    theta, options = prior.sample(1, 0, BLOCK + 2), {"mix": True}
    whole, _ = simulate_pool("linear", people, options, prior, theta, *BLOCKS, seed=3)
    drawn = draws_from(people, options).draw(3, BLOCK + 1)
    last = simulate_draws("linear", drawn, prior, theta[-1:], *BLOCKS, seed=3, start=BLOCK + 1)
    assert np.array_equal(last.ts["x"][0], whole.ts["x"][-1])
    other = replace(drawn, tract_lengths=people[0].tract_lengths)
    moved = simulate_draws("linear", other, prior, theta[-1:], *BLOCKS, seed=3, start=BLOCK + 1)
    assert not np.array_equal(moved.ts["x"][0], whole.ts["x"][-1])
