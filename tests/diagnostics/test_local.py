import numpy as np
import pytest
from linear_gaussian import Exact, prior, simulate

from vbiflow.diagnostics.comparison import compare_studies
from vbiflow.diagnostics.local import local_c2st

THETA = prior().sample(11, 0, 500)
X = simulate(THETA, 12)


class LocallyWrong(Exact):
    """Right for negative x3, shifted by two standard deviations where x3 is positive."""

    def normal_samples(self, inputs, n, seed):
        for rows, z in super().normal_samples(inputs, n, seed):
            yield rows, z + 0.9 * (inputs[:, 3] > 0)[:, None, None]


def result_at(posterior, x_o):
    return local_c2st(posterior, THETA, X, x_o, seed=1, n_samples=300)


def test_error_is_seen_where_it_is():
    left, right = X[np.argmin(np.abs(X[:, 3] + 1))], X[np.argmin(np.abs(X[:, 3] - 1))]
    wrong, fine = result_at(LocallyWrong(), right), result_at(LocallyWrong(), left)
    assert wrong["p_value"] < 0.06
    assert wrong["statistic"] > 2 * fine["statistic"]
    assert wrong["theta"].shape == (300, 2) and wrong["score"].shape == (300,)


def test_exact_posterior_passes():
    assert result_at(Exact(), X[0])["p_value"] > 0.05


def test_too_few_simulations():
    with pytest.raises(ValueError, match=r"a local C2ST needs at least 100 held-out simulations, found 20"):
        local_c2st(Exact(), THETA[:20], X[:20], X[0], seed=1)


def test_studies_are_ranked_by_what_they_reproduce():
    rng = np.random.default_rng(0)
    good = {"fc_correlation": 0.6 + 0.05 * rng.standard_normal(50), "fcd_ks": np.full(50, 0.1)}
    poor = {"fc_correlation": 0.3 + 0.05 * rng.standard_normal(80), "fcd_ks": np.full(80, 0.2)}
    ranked = compare_studies({"poor": poor, "good": good})
    assert [row["study"] for row in ranked] == ["good", "poor"]
    assert ranked[0]["probability_best"] > 0.99 and ranked[1]["probability_best"] < 0.01
    assert ranked[0]["fc_correlation"] == pytest.approx(np.median(good["fc_correlation"]))
    same = compare_studies({"one": good, "other": good})
    assert same[0]["probability_best"] == pytest.approx(0.5, abs=0.01)
    with pytest.raises(ValueError, match=r"the studies good, other share no score; set the same diagnostics.scores"):
        compare_studies({"good": good, "other": {"psd_distance": np.ones(5)}})
    with pytest.raises(ValueError, match=r"comparing studies takes at least two, found good"):
        compare_studies({"good": good})
