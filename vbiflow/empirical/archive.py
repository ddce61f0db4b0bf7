"""Epochs from the time series archive's .ts files, which say neither sampling rate nor unit nor names of channels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vbiflow import io


def read_ts(path: str | Path) -> np.ndarray:
    """Epochs (n_epochs, n_channels, n_times) of a .ts file: a line each, channels apart by colons, the class last.

    Raises
    ------
    ValueError
        If there are none, or if they are of different lengths.
    """
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    if "@data" not in lines:
        raise ValueError(f"{path}: no line @data; give a .ts file of the time series archive")
    rows = [line.split(":")[:-1] for line in lines[lines.index("@data") + 1 :] if line.strip()]
    try:
        return unfold_channels(np.array([[np.fromstring(series, sep=",") for series in row] for row in rows]))
    except ValueError:
        raise ValueError(f"{path}: epochs of different lengths or channels; equal ones are needed") from None


def unfold_channels(rows: np.ndarray) -> np.ndarray:
    """Epochs (n_epochs, n_channels, n_times) whose channels stand apart.

    The archive's FingerMovements cuts a line of channels (28 of 50 samples) at every 28th sample in place of every
    50th, so that each row repeats the last 22 samples of the row before. The rows joined are that line as far as they
    reach: its whole channels, 16, are returned. Other rows are returned as they are.
    """
    n_epochs, step, n_times = rows.shape
    if step >= n_times or not np.array_equal(rows[:, :-1, step:], rows[:, 1:, :-step]):
        return rows
    line = np.concatenate([rows[:, :-1, :step].reshape(n_epochs, -1), rows[:, -1]], axis=1)
    whole = line.shape[1] // n_times
    return line[:, : whole * n_times].reshape(n_epochs, whole, n_times)


def save_epochs(
    path: str | Path, data: np.ndarray, *, fs: float, kind: str, unit: float, channels: Sequence[str]
) -> None:
    """Save epochs (n_epochs, n_channels, n_times), in `unit` of V or T and sampled at fs [Hz], as FIF.

    Raises
    ------
    ValueError
        If there are more or fewer channels than names.
    """
    import mne

    if data.shape[1] != len(channels):
        raise ValueError(f"{path}: {data.shape[1]} channels, but {len(channels)} names; correct the catalogue")
    info = mne.create_info(list(channels), fs, kind, verbose="ERROR")
    with io.atomic(path) as part:
        whole = part.with_name(f"{part.name}-epo.fif")
        epochs = mne.EpochsArray(unit * data, info, verbose="ERROR")
        epochs.save(whole, fmt="double", overwrite=True, verbose="ERROR")
        whole.replace(part)
