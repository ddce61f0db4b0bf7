"""What a study may do to a recording of sensors: channels chosen and mended, filters, artefacts cut out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import mne
import numpy as np
from scipy.ndimage import uniform_filter1d

from vbiflow.empirical.montages import standard_montage
from vbiflow.empirical.sensor_files import MneRecording
from vbiflow.empirical.sensor_options import ARBITRARY
from vbiflow.reading import shorten_list


def sensors(raw: MneRecording, type_: str) -> MneRecording:
    """Keep one type: mag or grad."""
    if type_ not in raw.get_channel_types():
        raise ValueError(f"found {type_!r}; the file has {', '.join(sorted(set(raw.get_channel_types())))}")
    return raw.pick(type_, verbose="ERROR")


def rename(raw: MneRecording, names: Mapping[str, str]) -> MneRecording:
    """Other names for channels."""
    return raw.rename_channels(dict(names), verbose="ERROR")


def drop(raw: MneRecording, names: Sequence[str]) -> MneRecording:
    """Leave channels out."""
    missing = [name for name in names if name not in raw.ch_names]
    if missing:
        raise ValueError(f"no channel {missing[0]!r}; found {shorten_list(raw.ch_names, 8)}")
    return raw.drop_channels(list(names))


def scale(raw: MneRecording, factor: float | str) -> MneRecording:
    """Multiply by a factor, for a file that states another unit than it holds: 1.0e-6 for microvolts taken for V.

    `arbitrary` says that the unit is unknown: values stay as they are, and their size is not checked.
    """
    if factor == ARBITRARY:
        return raw
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not factor > 0:
        raise ValueError(f"found {factor!r}; write a number above 0, 1.0e-6 for microvolts, or {ARBITRARY}")
    return raw.apply_function(lambda values: values * factor, picks="all", channel_wise=False, verbose="ERROR")


def montage(raw: MneRecording, name: str) -> MneRecording:
    """Positions of EEG electrodes by name, from one of MNE's montages, however case, dots and prefixes are written."""
    known = {plain_name(place): place for place in standard_montage(name).ch_names}
    written = {name.lower() for name in known.values()}
    found = {
        channel: channel if channel.lower() in written else known.get(plain_name(channel), channel)
        for channel in raw.ch_names
    }
    if len(set(found.values())) == len(found):
        raw.rename_channels(found, verbose="ERROR")
    return raw.set_montage(standard_montage(name), match_case=False, on_missing="ignore", verbose="ERROR")


def plain_name(channel: str) -> str:
    """Name of an electrode without case, dots, blanks, EEG before it and a reference after: ``EEG Fc5.-REF`` is fc5."""
    bare = re.sub(r"^EEG[ _-]*", "", channel.strip(), flags=re.IGNORECASE)
    bare = re.sub(r"[ _-]*(REF|LE|AR|AVG)$", "", bare, flags=re.IGNORECASE)
    return re.sub(r"[. ]", "", bare).lower()


def interpolate(raw: MneRecording, names: Sequence[str]) -> MneRecording:
    """Replace channels by what their neighbours tell."""
    raw.info["bads"] = list(names)
    return raw.interpolate_bads(reset_bads=True, verbose="ERROR")


def check_continuous(raw: MneRecording) -> None:
    """Refuse to filter epochs, which are shorter than the filter rings."""
    if isinstance(raw, mne.BaseEpochs):
        raise ValueError("a filter would run across the borders of epochs; filter the recording before it is cut")


def notch(raw: MneRecording, frequencies: float | Sequence[float]) -> MneRecording:
    """Take mains frequencies [Hz] out."""
    check_continuous(raw)
    return raw.notch_filter(np.atleast_1d(frequencies).astype(float), verbose="ERROR")


def band(raw: MneRecording, edges: Sequence[float | None]) -> MneRecording:
    """Band-pass between two edges [Hz], null for an open end; windowed-sinc filter without phase shift."""
    check_continuous(raw)
    nyquist = raw.info["sfreq"] / 2
    if len(edges) != 2 or any(edge is not None and not 0 < edge < nyquist for edge in edges):
        raise ValueError(f"found {list(edges)} Hz; write [low, high] between 0 and {nyquist:g}, null for an open end")
    return raw.filter(*edges, verbose="ERROR")


def envelope(raw: MneRecording, seconds: float) -> MneRecording:
    """Amplitude of the analytic signal, averaged over windows of so many seconds: what the fast discharge of a seizure
    swells to, as models of its envelope have it."""
    check_continuous(raw)
    width = round(float(seconds) * raw.info["sfreq"])
    if not 1 <= width <= raw.n_times:
        raise ValueError(f"a window of {seconds:g} s does not fit into {raw.times[-1]:g} s")
    smooth = partial(uniform_filter1d, size=width, axis=-1, mode="nearest")
    return raw.apply_hilbert(envelope=True, verbose="ERROR").apply_function(
        smooth, picks="all", channel_wise=False, verbose="ERROR"
    )


def resample(raw: MneRecording, fs: float) -> MneRecording:
    """Another sampling rate [Hz]."""
    return raw.resample(float(fs), verbose="ERROR")


def seizure(raw: MneRecording, options: Mapping[str, Any]) -> MneRecording:
    """Cut a recording around a mark in it: {mark: its text, before: s, after: s}; the first that has the text."""
    if isinstance(raw, mne.BaseEpochs) or set(options) != {"mark", "before", "after"}:
        raise ValueError(f"found {dict(options)} for {type(raw).__name__}; write {{mark: onset, before: s, after: s}}")
    onsets = [
        o
        for o, text in zip(raw.annotations.onset, raw.annotations.description, strict=True)
        if str(options["mark"]).lower() in text.lower()
    ]
    if not onsets:
        known = shorten_list(sorted(set(raw.annotations.description)), 12)
        raise ValueError(f"no mark {options['mark']!r}; the file has {known}")
    onset = float(min(onsets)) - (raw.first_time if raw.annotations.orig_time is not None else 0.0)
    start, stop = onset - float(options["before"]), onset + float(options["after"])
    if start < 0 or stop > raw.times[-1] + 1 / raw.info["sfreq"]:
        raise ValueError(f"{start:g} to {stop:g} s around the mark is beyond the recording, 0 to {raw.times[-1]:g} s")
    return raw.crop(start, stop, include_tmax=False, verbose="ERROR")


def leave_out_marked(raw: MneRecording, _: bool = True) -> MneRecording:
    """The recording without the spans that its annotations call bad; the rest is joined, and how much it is is told.

    Raises
    ------
    ValueError
        If less than half of it is left.
    """
    if isinstance(raw, mne.BaseEpochs) or not any(
        text.lower().startswith("bad") for text in raw.annotations.description
    ):
        return raw
    data = raw.get_data(reject_by_annotation="omit", verbose="ERROR")
    left, whole = data.shape[1] / raw.info["sfreq"], raw.n_times / raw.info["sfreq"]
    if left < 0.5 * whole:
        raise ValueError(f"annotations mark {whole - left:g} of {whole:g} s as bad; correct them, or cut the recording")
    print(f"{whole - left:g} of {whole:g} s are marked as bad and left out")
    return mne.io.RawArray(data, raw.info, verbose="ERROR")


def reject(raw: MneRecording, options: Mapping[str, float]) -> MneRecording:
    """Cut out windows [s] in which a channel's peak-to-peak exceeds a bound [V or T]; the rest is joined.

    Of a recording in epochs whole epochs are left out, and no window is said.
    """
    if isinstance(raw, mne.BaseEpochs):
        if set(options) != {"peak_to_peak"}:
            raise ValueError(f"found {', '.join(options)}; write {{peak_to_peak: V or T}}, as windows are the epochs")
        good = few_artefacts(np.ptp(raw.get_data(), axis=2).T, options["peak_to_peak"])
        return raw[np.flatnonzero(good)]
    if set(options) != {"peak_to_peak", "window"}:
        raise ValueError(f"found {', '.join(options)}; write {{peak_to_peak: V or T, window: s}}")
    width = round(options["window"] * raw.info["sfreq"])
    n = raw.n_times // max(width, 1)
    if width < 2 or not n:
        raise ValueError(f"a window of {options['window']:g} s does not fit into {raw.times[-1]:g} s")
    data = raw.get_data()[:, : n * width].reshape(len(raw.ch_names), n, width)
    good = few_artefacts(np.ptp(data, axis=2), options["peak_to_peak"])
    return mne.io.RawArray(data[:, good].reshape(len(raw.ch_names), -1), raw.info, verbose="ERROR")


def few_artefacts(spans: np.ndarray, bound: float) -> np.ndarray:
    """Which windows stay, of peak-to-peak amplitudes (n_sensors, n_windows); at least half of them."""
    good = (spans <= bound).all(axis=0)
    if good.mean() < 0.5:
        raise ValueError(f"{1 - good.mean():.0%} of the windows exceed {bound:g}; raise it, or drop channels")
    return good


EARLY: dict[str, Callable[[MneRecording, Any], MneRecording]] = {
    "sensors": sensors,
    "rename": rename,
    "drop": drop,
    "scale": scale,
    "montage": montage,
    "interpolate": interpolate,
}
"""Steps before the reference, which all channels that are kept take part in."""
LATE: dict[str, Callable[[MneRecording, Any], MneRecording]] = {
    "notch": notch,
    "band": band,
    "envelope": envelope,
    "resample": resample,
    "seizure": seizure,
}
"""Steps after the reference; what annotations call bad is left out before artefacts are rejected."""
STEPS = {**EARLY, **LATE, "reject": reject}
