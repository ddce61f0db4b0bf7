"""Series and nodes that feature tests share."""

import numpy as np
import pytest

from vbiflow.features import Nodes


@pytest.fixture(scope="session")
def nodes() -> Nodes:
    """Ten cortical nodes, right and left interleaved, in two networks."""
    names = ("V1", "V2", "M1", "A1", "PFC")
    labels = [f"{name}_{side}" for name in names for side in "RL"]
    return Nodes(labels, networks=["Sensory"] * 8 + ["Default"] * 2)


@pytest.fixture(scope="session")
def ts() -> np.ndarray:
    """Four simulations of ten nodes that share slow fluctuations, 640 samples at 2 Hz in single precision."""
    rng = np.random.default_rng(7)
    common = rng.standard_normal((4, 3, 640)).cumsum(-1)
    common -= common.mean(-1, keepdims=True)
    mixed = np.einsum("snk,skt->snt", rng.uniform(0, 1, (4, 10, 3)), common) / 8
    return (mixed + rng.standard_normal((4, 10, 640)) + 1.0).astype("float32")
