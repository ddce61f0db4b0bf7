"""What is done to a series once, before any feature is taken from it: the same for simulations and recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbiflow.features.batch import double, in_epochs, namespace, standardise
from vbiflow.features.feature import Option
from vbiflow.features.phase import bandpass

STEPS: dict[str, Option] = {
    "detrend": Option(False, "boolean", "whether to take out a straight line from each node, or from each epoch of it"),
    "bandpass": Option(None, "band", "band to filter to, forward and backward, Butterworth of order 4", "Hz"),
    "global_signal": Option(False, "boolean", "whether to regress the mean over nodes out of each node"),
    "standardise": Option(False, "boolean", "whether to bring each node to zero mean and unit variance"),
    "epochs": Option(None, "number", "length of the epochs that features see; no window crosses a border", "s"),
}


def read_preparation(given: Mapping[str, Any] | None, fs: float | None = None) -> dict[str, Any]:
    """Steps of a preparation, checked, in the order in which they are done.

    Raises
    ------
    ValueError
        If a step is unknown or its value not allowed, or if the band reaches half the sampling rate `fs` [Hz].
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
    band = steps["bandpass"]
    if band and fs and band[1] >= fs / 2:
        raise ValueError(f"preparation bandpass: {band[1]:g} Hz is not below {fs / 2:.4g} Hz, half the sampling rate")
    if steps["epochs"] is not None and fs:
        epoch_of(steps, fs)
    return {name: value for name, value in steps.items() if value}


def epoch_of(steps: Mapping[str, Any], fs: float) -> int | None:
    """Samples of an epoch of the step `epochs`; None where series are not taken as epochs.

    Raises
    ------
    ValueError
        If that is no whole number of samples, or fewer than 4.
    """
    seconds = steps.get("epochs")
    if seconds is None:
        return None
    n = round(seconds * fs)
    if n < 4 or abs(seconds * fs - n) > 1e-6 * n:
        raise ValueError(
            f"preparation epochs: {seconds:g} s are {seconds * fs:.4g} samples at {fs:.6g} Hz; it takes a whole "
            "number of them, at least 4"
        )
    return n


def prepare(ts: Any, fs: float, steps: Mapping[str, Any], confounds: Any = None) -> Any:
    """Series (n_simulations, n_nodes, n_times) after the steps; a new array, or `ts` itself if there are none.

    `confounds` (n, n_times) of a recording are regressed out after they went through the same detrending and filter
    (Lindquist et al. 2019, doi:10.1002/hbm.24528).

    Raises
    ------
    ValueError
        If the band does not fit the sampling rate, or if confounds are not as long as the series.
    """
    ts = detrend_and_filter(ts, fs, steps)
    if confounds is not None:
        if confounds.shape[-1] != ts.shape[-1]:
            raise ValueError(
                f"confounds have {confounds.shape[-1]} samples, the recording {ts.shape[-1]}; give one line a volume"
            )
        ts = regress_out(ts, detrend_and_filter(confounds[None], fs, steps))
    if steps.get("global_signal"):
        ts = regress_out(ts, double(ts).mean(axis=1, keepdims=True))
    if steps.get("standardise"):
        ts = standardise(ts) * ts.shape[-1] ** 0.5
    return ts


def detrend_and_filter(ts: Any, fs: float, steps: Mapping[str, Any]) -> Any:
    """Series after detrending and filter."""
    if steps.get("detrend"):
        epochs = in_epochs(ts, epoch_of(steps, fs))
        ts = regress_out(epochs, namespace(ts).arange(epochs.shape[-1])[None, None] * 1.0).reshape(*ts.shape[:-1], -1)
    return bandpass(ts, fs, steps["bandpass"]) if steps.get("bandpass") else ts


def regress_out(ts: Any, regressors: Any) -> Any:
    """Series less their means and their least-squares fit by regressors (1 or n_simulations, n, n_times)."""
    xp, y = namespace(ts), double(ts)
    basis = xp.linalg.svd(standardise(regressors), full_matrices=False)
    kept = xp.where(basis[1] > 1e-9 * basis[1][..., :1], 1.0, 0.0)[..., None] * basis[2]
    centred = y - y.mean(axis=-1, keepdims=True)
    return centred - (centred @ xp.swapaxes(kept, -1, -2)) @ kept
