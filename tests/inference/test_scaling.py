import numpy as np
import pytest

from vbiflow.inference.scaling import Scaling


def fit(x, names=None, kind="robust", share=0.05):
    names = names or [f"x{k}" for k in range(x.shape[1])]
    return Scaling.fit(x, 1 - np.isfinite(x).mean(axis=0), names, kind, share)


def test_worked_numbers():
    x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    scaling, _ = fit(x)
    assert scaling(x)[:, 0] == pytest.approx(np.array([-2, -1, 0, 1, 2]) * 1.349 / 2)
    standard, _ = fit(x, kind="standard")
    assert standard(x)[:, 0] == pytest.approx(np.array([-2, -1, 0, 1, 2]) / np.sqrt(2))


def test_one_outlier_neither_rules_nor_is_lost():
    x = np.random.default_rng(0).standard_normal((1000, 1))
    spoilt = np.vstack([x, [[1e12]]])
    clean, robust = fit(x)[0], fit(spoilt)[0]
    assert robust.scale == pytest.approx(clean.scale, rel=0.01)
    assert 5 < robust(spoilt)[-1, 0] < 40
    assert np.all(np.diff(robust(np.linspace(-20, 20, 400)[:, None])[:, 0]) > 0)


def test_large_offset_keeps_its_precision():
    x = 1e9 + np.random.default_rng(0).standard_normal((500, 1))
    scaling, dropped = fit(x)
    assert not dropped
    assert scaling(x).std() == pytest.approx(1, abs=0.1)


def test_mostly_equal_feature_still_has_a_scale():
    x = np.zeros((100, 1))
    x[:10] = 5.0
    scaling, dropped = fit(x)
    assert not dropped
    assert scaling.scale == pytest.approx(5 / 4.65)
    x[:] = np.arange(100)[:, None] == 0
    assert fit(x)[0].scale == pytest.approx(x.std(), rel=0.02)


def test_missing_values_become_the_centre_and_a_column_says_so():
    x = np.random.default_rng(0).standard_normal((100, 3))
    x[:3, 1] = np.nan
    x[0, 2], x[:10, 0] = np.inf, np.nan
    scaling, dropped = fit(x, ["a", "b", "c"])
    assert dropped == {"a": "not finite in 10% of the simulations"}
    out = scaling(x)
    assert out.shape == (100, 4) and np.isfinite(out).all()
    assert out[:4, 0].tolist()[:3] == [0, 0, 0]
    assert out[:4, 2].tolist() == [1, 1, 1, 0]
    assert out[:2, 3].tolist() == [1, 0]
    assert scaling.unexpected(np.full((1, 3), np.nan)).tolist() == [False, False, False]


def test_nothing_left_to_learn_from():
    with pytest.raises(ValueError, match=r"no feature is left to learn from: all 2 are constant or not finite"):
        fit(np.ones((50, 2)))
