from dataclasses import replace

import numpy as np
import pytest

from vbiflow.connectome import Connectome
from vbiflow.connectome.cohort import BLOCK, SUMMARIES, draws_from, mean_connectome, summarise
from vbiflow.engine import simulate_draws
from vbiflow.engine.cohort import simulate_pool
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
    drawn = [pool.draw(1, k) for k in range(0, 40 * BLOCK, BLOCK)]
    assert np.array_equal(pool.draw(1, 3), drawn[0]) and np.array_equal(pool.draw(1, BLOCK + 5), drawn[1])
    owners = [[np.array_equal(weights, one.weights) for one in PEOPLE].index(True) for weights in drawn]
    assert set(owners) == {0, 1, 2, 3}


def test_a_mixed_draw_lies_between_two_people_and_a_perturbed_one_near():
    for block in range(20):
        weights = draws_from(PEOPLE, {}).draw(2, block * BLOCK)
        fits = []
        for first in PEOPLE:
            for second in PEOPLE:
                design = np.stack([first.weights.ravel(), second.weights.ravel()], axis=1)
                share, *_ = np.linalg.lstsq(design, weights.ravel(), rcond=None)
                fits.append((np.abs(design @ share - weights.ravel()).max(), share.sum()))
        assert min(fits)[0] < 1e-12
    noisy = draws_from(PEOPLE, {"mix": False, "perturb": 0.1}).draw(2, 0)
    plain = draws_from(PEOPLE, {"mix": False}).draw(2, 0)
    assert np.array_equal(noisy == 0, plain == 0)
    assert np.log(noisy[plain > 0] / plain[plain > 0]).std() == pytest.approx(0.1, rel=0.4)


def test_summaries_by_hand():
    weights = np.array([[0, 2.0, 0], [1, 0, 0], [0, 0, 0]])
    found = dict(zip(SUMMARIES, summarise(weights, ("L", "R", "R")), strict=True))
    assert found["radius"] == pytest.approx(np.sqrt(2))
    assert found["total"] == 3 and found["density"] == pytest.approx(2 / 9) and found["within"] == 0
    assert found["asymmetry"] == pytest.approx(1 / 3)
    assert found["participation"] == pytest.approx(1 / (3 * ((2 / 3) ** 2 + (1 / 3) ** 2)))
    assert found["gap"] == pytest.approx(1)
    assert found["strength[0.5]"] == 1 and found["strength[0.9]"] == pytest.approx(1.8)


PRIOR = Prior.from_config({"G": {"uniform": [0.1, 0.4]}})
BLOCKS = {}, {"duration": 40.0, "dt": 1.0}, {"signals": {"x": {"period": 1.0}}}


def simulated(people, options, theta, start=0):
    return simulate_pool("linear", people, options, PRIOR, theta, *BLOCKS, seed=3, start=start)


def test_same_bytes_for_any_sharding_and_each_on_its_own_connectome():
    theta, cut = PRIOR.sample(1, 0, BLOCK + 9), 11
    whole, told = simulated(PEOPLE, {}, theta)
    parts = [simulated(PEOPLE, {}, theta[:cut]), simulated(PEOPLE, {}, theta[cut:], cut)]
    assert np.array_equal(np.concatenate([part.ts["x"] for part, _ in parts]), whole.ts["x"])
    assert np.array_equal(np.concatenate([some["told"].values for _, some in parts]), told["told"].values)
    drawn = draws_from(PEOPLE, {}).draw(3, BLOCK + 8)
    last = simulate_draws(
        "linear", replace(PEOPLE[0], weights=drawn), PRIOR, theta[-1:], *BLOCKS, seed=3, start=BLOCK + 8
    )
    assert np.array_equal(last.ts["x"][0], whole.ts["x"][-1])
    assert told["told"].values[-1] == pytest.approx(summarise(drawn, PEOPLE[0].hemispheres))


def test_one_person_is_simulated_as_ever_and_told_of_in_a_pool():
    theta = PRIOR.sample(1, 0, 3)
    plain, nothing = simulated(PEOPLE[:1], None, theta)
    own, told = simulated(PEOPLE[:1], {"perturb": 0.5}, theta)
    assert nothing == {} and np.array_equal(plain.ts["x"], own.ts["x"])
    assert np.array_equal(told["told"].values[2], summarise(PEOPLE[0].weights, PEOPLE[0].hemispheres))


def test_mean_connectome_and_other_regions():
    mean = mean_connectome(PEOPLE)
    assert mean.weights == pytest.approx(np.mean([one.weights for one in PEOPLE], axis=0))
    assert mean.tract_lengths == pytest.approx(np.full((6, 6), 10.0))
    with pytest.raises(ValueError, match=r"connectome 2 of the cohort has other regions than the first"):
        draws_from([PEOPLE[0], person(1).take([1, 0, 2, 3, 4, 5])], {})
