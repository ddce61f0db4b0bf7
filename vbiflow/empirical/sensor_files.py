"""Recordings of sensors in any file that MNE reads, loaded and picked by kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import mne
import numpy as np

TYPES = {"eeg": ("eeg",), "meg": ("mag", "grad"), "seeg": ("seeg", "ecog", "dbs")}
"""MNE's types of channels that a kind of recording means."""
MneRecording = mne.io.BaseRaw | mne.BaseEpochs
"""A recording in one piece, or in epochs."""


def load_recording(path: str | Path) -> MneRecording:
    """The recording in memory, whichever of READERS takes it.

    Raises
    ------
    ValueError
        If none does, or if the file holds averages or no recording at all.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file")
    readers = list(READERS.values())
    reasons = []
    for reader in readers[1:] + readers[:1] if "epo.fif" in path.name else readers:
        try:
            return reader(path, preload=True, verbose="ERROR")
        except Exception as error:
            reasons.append(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
    if holds_averages(path):
        advice = "averages lack the ongoing activity that a study compares; give the recording or its epochs"
        raise ValueError(f"{path}: evoked responses; {advice}")
    raise ValueError(f"{path}: no recording that MNE reads, or cut short ({reasons[0]})")


def holds_averages(path: Path) -> bool:
    """Whether a file holds evoked responses."""
    try:
        return bool(mne.read_evokeds(path, verbose="ERROR"))
    except Exception:
        return False


def read_eeglab_epochs(path: Path, preload: bool, verbose: str) -> mne.BaseEpochs:
    """Epochs of EEGLAB, which MNE always loads."""
    return mne.read_epochs_eeglab(path, verbose=verbose)


READERS: dict[str, Callable[..., MneRecording]] = {
    "any format that MNE knows by its name": mne.io.read_raw,
    "epochs of MNE": mne.read_epochs,
    "epochs of EEGLAB": read_eeglab_epochs,
    "KIT": mne.io.read_raw_kit,
    "EGI": mne.io.read_raw_egi,
    "CTF": mne.io.read_raw_ctf,
    "BTi": mne.io.read_raw_bti,
}
"""Readers of MNE in the order in which they are tried."""


def pick_kind(path: str | Path, raw: MneRecording, kind: str, mended: Sequence[str] = ()) -> MneRecording:
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
    if names and not good:
        raise ValueError(
            f"{path}: the file marks all of its {len(names)} {kind} channels as bad; interpolate some of them"
        )
    if not good:
        raise ValueError(
            f"{path}: no {kind} channels; found {', '.join(sorted(found))}; correct kind in the cohort table"
        )
    return raw.pick(good, verbose="ERROR")


def with_data(data: np.ndarray, info: mne.Info, like: MneRecording) -> MneRecording:
    """Data (n_sensors, n_times) or (n_epochs, n_sensors, n_times) as a recording with the marks of `like`."""
    if isinstance(like, mne.BaseEpochs):
        return mne.EpochsArray(data, info, tmin=like.tmin, verbose="ERROR")
    raw = mne.io.RawArray(data, info, first_samp=like.first_samp, verbose="ERROR")
    return raw.set_annotations(like.annotations.copy(), verbose="ERROR")


def end_to_end(raw: MneRecording, picks: str | None = None) -> np.ndarray:
    """Series (n_sensors, n_times), of epochs one after the other."""
    data = raw.get_data(picks=picks)
    return np.concatenate(list(data), axis=1) if data.ndim == 3 else data


def epoch_length(raw: MneRecording) -> int:
    """Samples of each epoch; 0 of a recording in one piece."""
    return len(raw.times) if isinstance(raw, mne.BaseEpochs) else 0
