"""EEG, MEG and intracranial recordings by MNE: read, picked, referenced, filtered, resampled, cleaned of artefacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mne
import numpy as np

from vbiflow.connectome.regions import shown
from vbiflow.empirical.recording import Recording
from vbiflow.observation.sensors import referencing

TYPES = {"eeg": ("eeg",), "meg": ("mag", "grad"), "seeg": ("seeg", "ecog", "dbs")}
AMPLITUDES = {
    "eeg": (1e-8, 5e-3, "V"),
    "seeg": (1e-8, 2e-2, "V"),
    "ecog": (1e-8, 2e-2, "V"),
    "dbs": (1e-8, 2e-2, "V"),
    "mag": (1e-15, 1e-8, "T"),
    "grad": (1e-14, 1e-7, "T/m"),
}
"""Plausible standard deviations of a channel, drifts included."""
Sensed = mne.io.BaseRaw | mne.BaseEpochs
"""A recording in one piece, or in epochs."""
DEDICATED = (mne.io.read_raw_kit, mne.io.read_raw_egi, mne.io.read_raw_ctf, mne.io.read_raw_bti)


def read_sensors(
    path: str | Path,
    kind: str,
    options: Mapping[str, Any] | None = None,
    *,
    reference: str | Sequence[str] = "none",
    channels: Sequence[str] | None = None,
) -> Sensed:
    """Read any recording that MNE reads, keep the channels of `kind` (eeg, meg, seeg) and apply `options`.

    Epochs (FIF, EEGLAB) stay epochs.

    Options are named as in STEPS and applied in that order. Channels marked bad in the file are left out, and all but
    `channels`, if given, in whose order the others come. The `reference` is taken before filters and rejection.

    Raises
    ------
    ValueError
        If the file is unreadable, lacks channels, holds values that are no numbers or in another unit, or if an option
        is unknown or cannot be applied.
    """
    options = dict(options or {})
    unknown = [name for name in options if name not in STEPS]
    if unknown:
        raise ValueError(f"recording: unknown option {unknown[0]!r}; choose from {', '.join(STEPS)}")
    raw = treated(path, picked(path, loaded(path), kind, options.get("interpolate") or ()), EARLY, options)
    check_finite(path, raw)
    check_amplitude(path, raw)
    raw = referenced(path, raw if channels is None else chosen(path, raw, channels), reference)
    return treated(path, raw, LATE, options)


def treated(path: str | Path, raw: Sensed, steps: Mapping[str, Callable], options: Mapping[str, Any]) -> Sensed:
    """The recording after those of the steps that `options` name."""
    for name, step in steps.items():
        if options.get(name) is not None:
            try:
                raw = step(raw, options[name])
            except (ValueError, RuntimeError, TypeError, KeyError, OSError) as error:
                raise ValueError(f"{path}: recording.{name}: {str(error).splitlines()[0]}") from None
    return raw


def check_finite(path: str | Path, raw: Sensed) -> None:
    """Refuse values that are not numbers, before a reference or filter spreads them."""
    finite = np.isfinite(end_to_end(raw)).all(axis=1)
    if not finite.all():
        names = [name for name, is_finite in zip(raw.ch_names, finite, strict=True) if not is_finite]
        raise ValueError(f"{path}: not finite in {len(names)} channels: {shown(names)}; drop or interpolate them")


def check_amplitude(path: str | Path, raw: Sensed) -> None:
    """Refuse a typical channel so large or small that the file's unit must be another than the V or T it states."""
    for type_ in dict.fromkeys(raw.get_channel_types()):
        low, high, unit = AMPLITUDES[type_]
        found = float(np.median(end_to_end(raw, type_).std(axis=1)))
        if not low <= found <= high:
            raise ValueError(
                f"{path}: {type_} channels have a standard deviation of {found:.2g} {unit}, allowed is {low:g} to "
                f"{high:g}; if the file holds another unit, set recording.scale (1.0e-6 for microvolts)"
            )


def chosen(path: str | Path, raw: Sensed, channels: Sequence[str]) -> Sensed:
    """These channels, in this order."""
    missing = [name for name in channels if name not in raw.ch_names]
    if missing:
        raise ValueError(
            f"{path}: {len(missing)} sensors of the lead field are no good channels of the recording: "
            f"{shown(missing)}; interpolate them, or give this person a lead field of their own"
        )
    return raw.pick(list(channels), verbose="ERROR")


def referenced(path: str | Path, raw: Sensed, reference: str | Sequence[str]) -> Sensed:
    """The recording referred to the average, to named channels or to none, as simulations are."""
    try:
        matrix, names = referencing(raw.ch_names, reference)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    info = mne.pick_info(raw.info, [raw.ch_names.index(name) for name in names])
    return made(matrix @ raw.get_data(), info, raw)


def made(data: np.ndarray, info: mne.Info, like: Sensed) -> Sensed:
    """Data (n_sensors, n_times), or (n_epochs, n_sensors, n_times), in one piece or in epochs as `like` is."""
    if isinstance(like, mne.BaseEpochs):
        return mne.EpochsArray(data, info, tmin=like.tmin, verbose="ERROR")
    return mne.io.RawArray(data, info, verbose="ERROR")


def end_to_end(raw: Sensed, picks: str | None = None) -> np.ndarray:
    """Series (n_sensors, n_times), of epochs one after the other."""
    data = raw.get_data(picks=picks)
    return np.concatenate(list(data), axis=1) if data.ndim == 3 else data


def epoch_length(raw: Sensed) -> int:
    """Samples of each epoch; 0 of a recording in one piece."""
    return len(raw.times) if isinstance(raw, mne.BaseEpochs) else 0


def loaded(path: str | Path) -> Sensed:
    """The recording in memory, whichever of MNE's readers takes it."""
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file")
    readers = (mne.io.read_raw, mne.read_epochs, eeglab_epochs, *DEDICATED)
    return attempt(path, readers[1:] if "epo.fif" in path.name else readers)


def eeglab_epochs(path: Path, preload: bool, verbose: str) -> mne.BaseEpochs:
    """Epochs of EEGLAB, which MNE always loads."""
    return mne.read_epochs_eeglab(path, verbose=verbose)


def attempt(path: Path, readers: Sequence[Callable]) -> Any:
    """What the first of `readers` that takes the file gives."""
    reasons = []
    for reader in readers:
        try:
            return reader(path, preload=True, verbose="ERROR")
        except Exception as error:
            reasons.append(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
    raise ValueError(f"{path}: no recording that MNE reads, or cut short ({reasons[0]})")


def picked(path: str | Path, raw: Sensed, kind: str, mended: Sequence[str] = ()) -> Sensed:
    """The good channels of one kind, and bad ones to be `mended`.

    Where intracranial ones are asked for and none is marked so, they are the EEG channels.
    """
    if kind not in TYPES:
        raise ValueError(f"{path}: kind {kind!r} is no sensor recording; choose from {', '.join(TYPES)}")
    found = set(raw.get_channel_types())
    if kind == "seeg" and not found & set(TYPES["seeg"]) and "eeg" in found:
        raw.set_channel_types({raw.ch_names[k]: "seeg" for k in mne.pick_types(raw.info, eeg=True)}, verbose="ERROR")
    types = raw.get_channel_types()
    names = [name for name, type_ in zip(raw.ch_names, types, strict=True) if type_ in TYPES[kind]]
    good = [name for name in names if name not in raw.info["bads"] or name in mended]
    if not good:
        raise ValueError(
            f"{path}: no {kind} channels; found {', '.join(sorted(found))}; correct kind in the cohort table"
        )
    return raw.pick(good, verbose="ERROR")


def sensors(raw: Sensed, type_: str) -> Sensed:
    """Keep one type: mag or grad."""
    if type_ not in raw.get_channel_types():
        raise ValueError(f"found {type_!r}; the file has {', '.join(sorted(set(raw.get_channel_types())))}")
    return raw.pick(type_, verbose="ERROR")


def rename(raw: Sensed, names: Mapping[str, str]) -> Sensed:
    """Other names for channels."""
    return raw.rename_channels(dict(names), verbose="ERROR")


def drop(raw: Sensed, names: Sequence[str]) -> Sensed:
    """Leave channels out."""
    missing = [name for name in names if name not in raw.ch_names]
    if missing:
        raise ValueError(f"no channel {missing[0]!r}; found {shown(raw.ch_names, 8)}")
    return raw.drop_channels(list(names))


def scale(raw: Sensed, factor: float) -> Sensed:
    """Multiply by a factor, for a file that states another unit than it holds: 1.0e-6 for microvolts taken for V."""
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not factor > 0:
        raise ValueError(f"found {factor!r}; write a number above 0, 1.0e-6 for microvolts")
    return raw.apply_function(lambda values: values * factor, picks="all", channel_wise=False, verbose="ERROR")


def montage(raw: Sensed, name: str) -> Sensed:
    """Positions of EEG electrodes by name, from one of MNE's montages; the case of names does not matter."""
    return raw.set_montage(standard_montage(name), match_case=False, on_missing="ignore", verbose="ERROR")


def interpolate(raw: Sensed, names: Sequence[str]) -> Sensed:
    """Replace channels by what their neighbours tell."""
    raw.info["bads"] = list(names)
    return raw.interpolate_bads(reset_bads=True, verbose="ERROR")


def check_continuous(raw: Sensed) -> None:
    """Refuse to filter epochs, which are shorter than the filter rings."""
    if isinstance(raw, mne.BaseEpochs):
        raise ValueError("a filter would run across the borders of epochs; filter the recording before it is cut")


def notch(raw: Sensed, frequencies: float | Sequence[float]) -> Sensed:
    """Take mains frequencies [Hz] out."""
    check_continuous(raw)
    return raw.notch_filter(np.atleast_1d(frequencies).astype(float), verbose="ERROR")


def band(raw: Sensed, edges: Sequence[float | None]) -> Sensed:
    """Band-pass between two edges [Hz], null for an open end; windowed-sinc filter without phase shift."""
    check_continuous(raw)
    nyquist = raw.info["sfreq"] / 2
    if len(edges) != 2 or any(edge is not None and not 0 < edge < nyquist for edge in edges):
        raise ValueError(f"found {list(edges)} Hz; write [low, high] between 0 and {nyquist:g}, null for an open end")
    return raw.filter(*edges, verbose="ERROR")


def resample(raw: Sensed, fs: float) -> Sensed:
    """Another sampling rate [Hz]."""
    return raw.resample(float(fs), verbose="ERROR")


def reject(raw: Sensed, options: Mapping[str, float]) -> Sensed:
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


EARLY: dict[str, Callable[[Sensed, Any], Sensed]] = {
    "sensors": sensors,
    "rename": rename,
    "drop": drop,
    "scale": scale,
    "montage": montage,
    "interpolate": interpolate,
}
"""Steps before the reference, which all channels that are kept take part in."""
LATE: dict[str, Callable[[Sensed, Any], Sensed]] = {
    "notch": notch,
    "band": band,
    "resample": resample,
    "reject": reject,
}
STEPS = {**EARLY, **LATE}


def as_recording(path: str | Path, raw: Sensed, kind: str) -> Recording:
    """The recording as an array (n_sensors, n_times) in V or T; epochs end to end."""
    types = set(raw.get_channel_types())
    if types == {"mag", "grad"}:
        raise ValueError(
            f"{path}: magnetometers and gradiometers have different units; write recording.sensors: mag or grad"
        )
    series, unit = end_to_end(raw), {"mag": "T", "grad": "T/m"}.get(next(iter(types)), "V")
    return Recording(series, float(raw.info["sfreq"]), tuple(raw.ch_names), kind, epoch_length(raw), unit)


def montage_info(montage: str, kind: str, type_: str | None = None) -> mne.Info:
    """Description of the sensors of a montage of MNE, or of a MEG system whose sensors MNE knows (neuromag).

    Raises
    ------
    ValueError
        If MNE knows none of that name.
    """
    if kind == "meg":
        try:
            info = mne.channels.read_meg_canonical_info(montage)
        except (ValueError, FileNotFoundError):
            raise ValueError(f"unknown MEG system {montage!r}; choose from neuromag, ctf151, ctf275") from None
        names = {"mag": "mag", "grad": "grad"}.get(type_ or "", True)
        return mne.pick_info(info, mne.pick_types(info, meg=names, ref_meg=False))
    places = standard_montage(montage)
    info = mne.create_info(places.ch_names, 1000.0, "eeg", verbose="ERROR")
    return info.set_montage(places, verbose="ERROR")


def standard_montage(name: str) -> mne.channels.DigMontage:
    """One of MNE's montages."""
    try:
        return mne.channels.make_standard_montage(name)
    except ValueError:
        known = ", ".join(mne.channels.get_builtin_montages())
        raise ValueError(f"unknown montage {name!r}; choose from {known}") from None


def known_positions(info: mne.Info) -> np.ndarray | None:
    """Positions (n_sensors, 3) of the sensors [mm], in MNE's head or device frame; None if one of them has none."""
    places = np.array([channel["loc"][:3] for channel in info["chs"]]) * 1000
    return places if placed(places).all() else None


def placed(places: np.ndarray) -> np.ndarray:
    """Which sensors (n_sensors, 3) have a position: MNE marks unknown ones by zeros or not-a-number."""
    return np.isfinite(places).all(axis=1) & (places != 0).any(axis=1)


def check_positions(info: mne.Info) -> None:
    """Refuse sensors without a position.

    Raises
    ------
    ValueError
        With the names of those that have none.
    """
    places = np.array([channel["loc"][:3] for channel in info["chs"]])
    names = [name for name, has_place in zip(info["ch_names"], placed(places), strict=True) if not has_place]
    if names:
        text = f"{len(names)} channels have no position: {shown(names)}"
        raise ValueError(f"lead field: {text}; set recording.montage, rename or drop them")
