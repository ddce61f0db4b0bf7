"""Windows, segments and bands that the scores of the predictive check take, and whether a recording holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from vbiflow.features.preparation import epoch_of
from vbiflow.features.scores import SCORES

DEFAULTS = {"fcd": {"window": 60.0, "step": 5.0}, "psd": {"segment": 2.0}}
"""Seconds of windows and segments where no feature of the study names them."""
HALF_WINDOWS = 2
"""More windows or segments than so many must fit into half a recording."""


def quantity_options(quantity: str, specs: Sequence[Any]) -> dict[str, Any]:
    """Options of the study's first feature of the `quantity` that matter here; DEFAULTS where it has none.

    Spectra are compared in the `band` that the feature's range covers, if the study gives it.
    """
    defaults, names = DEFAULTS.get(quantity, {}), ("psd", "spectrum") if quantity == "psd" else (quantity,)
    given = [spec[name] or {} for spec in specs if isinstance(spec, Mapping) for name in names if name in spec]
    first = given[0] if given else {}
    band = {"band": tuple(first["range"])} if quantity == "psd" and "range" in first else {}
    return defaults | band | {key: value for key, value in first.items() if key in defaults}


def score_options(
    names: Sequence[str], specs: Sequence[Any], steps: Mapping[str, Any], fs: float
) -> dict[str, dict[str, Any]]:
    """Options of each quantity that the scores compare, with the band and the epochs that the `steps` leave spectra.

    Windows of FCD are whole samples at `fs` [Hz], as they are taken.
    """
    wanted = {SCORES[name].quantity: quantity_options(SCORES[name].quantity, specs) for name in names}
    if "fcd" in wanted:
        wanted["fcd"] = {key: max(1, round(seconds * fs)) / fs for key, seconds in wanted["fcd"].items()}
    if "psd" in wanted and "bandpass" in steps:
        low, high = wanted["psd"].get("band", (0.0, inf))
        wanted["psd"] |= {"band": (max(low, steps["bandpass"][0]), min(high, steps["bandpass"][1]))}
    if "psd" in wanted and "epochs" in steps:
        wanted["psd"] |= {"epoch": epoch_of(steps, fs)}
    return wanted


def segment_length(n_times: int, fs: float, options: Mapping[str, Any]) -> int:
    """Samples of a segment of Welch's method, at most the whole series or epoch."""
    return min(round(options["segment"] * fs), options.get("epoch", n_times))


def half_length(n_times: int, options: Mapping[str, Any]) -> int:
    """Samples of half a recording, in whole epochs."""
    epoch = options.get("epoch", 1)
    return n_times // 2 // epoch * epoch


def half_is_enough(n_times: int, fs: float, options: Mapping[str, Any]) -> bool:
    """Whether half a recording holds windows or segments enough to be compared with the other."""
    window = options.get("window", options.get("segment", 0.0))
    return bool(half_length(n_times, options) > HALF_WINDOWS * window * fs)


def check_lengths(wanted: Mapping[str, Mapping[str, Any]], n_times: int, fs: float) -> None:
    """Refuse scores that a series of `n_times` samples at `fs` [Hz] cannot be given.

    Raises
    ------
    ValueError
        If it holds fewer than two windows of FCD, or a segment of the spectrum fewer than two samples or no frequency.
    """
    length = f"the study simulates {n_times / fs:g} s"
    if "fcd" in wanted:
        window, step = (wanted["fcd"][key] for key in ("window", "step"))
        if round((window + step) * fs) > n_times:
            raise ValueError(
                f"diagnostics.scores: fcd_ks needs two windows of {window:g} s every {step:g} s, {length}; lengthen "
                "simulation.duration, shorten the windows by a feature {fcd: {window: 20}}, or name other scores: "
                "[fc_correlation]"
            )
    if "psd" in wanted:
        options = wanted["psd"]
        n = segment_length(n_times, fs, options)
        low, high = options.get("band", (0.0, inf))
        frequencies = [k * fs / n for k in range(1, n // 2 + 1)] if n > 1 else []
        if not any(low <= frequency <= high for frequency in frequencies):
            longer = max(10, round(20 / fs))
            band = f" between {low:g} and {high:g} Hz" if "band" in options else ""
            raise ValueError(
                f"diagnostics.scores: psd_distance finds no frequency{band} in segments of {options['segment']:g} s of "
                f"a sample every {1 / fs:g} s; lengthen them by a feature {{psd: {{segment: {longer}}}}}, "
                "or name other scores: [fc_correlation]"
            )
