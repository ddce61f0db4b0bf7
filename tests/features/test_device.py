import device
import numpy as np
import pytest

from vbiflow.features import FEATURES, compute

ON_DEVICE = [
    *(name for name, feature in FEATURES.items() if feature.domain in ("distribution", "temporal")),
    *("psd", "spectrum", "fc", "fc_strength", "fc_networks", "fc_pairs", "fcd", "fcd_edge"),
    *("envelope", "instantaneous_frequency", "kuramoto", "phase_locking", "envelope_correlation"),
]


@pytest.mark.parametrize("name", ON_DEVICE)
def test_features_stay_on_the_device_and_agree_with_the_host(name, ts, nodes, monkeypatch):
    xp = device.install(monkeypatch)
    options = {"fcd": {"fcd": {"window": 3, "step": 1, "eigenvalues": 2, "components": 2}}}
    fs = 100.0
    host = compute(ts, [options.get(name, name)], fs=fs, nodes=nodes)
    found = compute(xp.asarray(ts), [options.get(name, name)], fs=fs, nodes=nodes, batch=4)
    assert found.names == host.names and found.valid.all()
    np.testing.assert_allclose(found.x, host.x, rtol=2e-5, atol=1e-6)
    brought = [np.prod(shape) for shape in device.TRANSFERS]
    assert max(brought) <= max(len(ts) * len(nodes), len(found.names) * len(ts), 200), "a whole series left the device"


def test_the_stand_in_refuses_what_cupy_refuses(monkeypatch):
    xp = device.install(monkeypatch)
    array = xp.asarray(np.arange(3.0))
    for mistake in (lambda: np.asarray(array), lambda: array + np.arange(3.0), lambda: np.arange(3.0) * array,
                    lambda: xp.sqrt(np.arange(3.0)), lambda: np.sqrt(array)):  # fmt: skip
        with pytest.raises(TypeError):
            mistake()
    assert (2.0 * array).get().tolist() == [0, 2, 4]
