"""What is done to a series once, before any feature is taken from it: the same for simulations and recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbiflow.features.batch import double, namespace, standardise
from vbiflow.features.feature import Option
from vbiflow.features.phase import bandpass

STEPS: dict[str, Option] = {
    "detrend": Option(False, "boolean", "whether to take out a straight line from each node"),
    "bandpass": Option(None, "band", "band to filter to, forward and backward, Butterworth of order 4", "Hz"),
    "global_signal": Option(False, "boolean", "whether to regress the mean over nodes out of each node"),
    "standardise": Option(False, "boolean", "whether to bring each node to zero mean and unit variance"),
}


def read_preparation(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Steps of a preparation, checked, in the order in which they are done.

    Raises
    ------
    ValueError
        If a step is unknown or its value not allowed.
    """
    for name in given or {}:
        if name not in STEPS:
            raise ValueError(f"unknown preparation {name!r}; choose from {', '.join(STEPS)}")
    steps = {}
    for name, option in STEPS.items():
        try:
            steps[name] = option.read((given or {}).get(name, option.default))
        except ValueError as error:
            raise ValueError(f"preparation {name}: {error}") from None
    return {name: value for name, value in steps.items() if value}


def prepare(ts: Any, fs: float, steps: Mapping[str, Any]) -> Any:
    """Series (n_simulations, n_nodes, n_times) after the steps; a new array, or `ts` itself if there are none."""
    for name, value in steps.items():
        if name == "bandpass":
            ts = bandpass(ts, fs, value)
        elif name == "detrend":
            ts = without(double(ts), namespace(ts).arange(ts.shape[-1])[None, None] * 1.0)
        elif name == "global_signal":
            ts = without(double(ts), double(ts).mean(axis=1, keepdims=True))
        else:
            ts = standardise(ts) * ts.shape[-1] ** 0.5
    return ts


def without(y: Any, regressor: Any) -> Any:
    """Series less their means and their least-squares fit by a regressor that broadcasts against them."""
    z = standardise(regressor)
    centred = y - y.mean(axis=-1, keepdims=True)
    return centred - (centred * z).sum(axis=-1, keepdims=True) * z
