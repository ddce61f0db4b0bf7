"""Simulations with known parameters, saved as recordings: what a study reads back must lead to those parameters."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vbiflow import io
from vbiflow.empirical.lead_field import LeadField

CHANNELS = {"eeg": "eeg", "meg": "mag", "seeg": "seeg"}


def save_sensors(path: str | Path, ts: np.ndarray, fs: float, lead_field: str | Path, type_: str | None = None) -> None:
    """Save series (n_sensors, n_times) [V or T] at fs [Hz] as FIF, with names and places of a lead field's sensors.

    `type_` is mag or grad for MEG, magnetometers if it is not said.
    """
    import mne

    field = LeadField.load(lead_field)
    info = mne.create_info(list(field.sensors), fs, type_ or CHANNELS[field.kind], verbose="ERROR")
    if field.positions is not None and field.kind == "eeg":
        places = dict(zip(field.sensors, field.positions / 1000.0, strict=True))
        info.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"), verbose="ERROR")
    with io.sealed(path) as part:
        whole = part.with_name(f"{part.name}_raw.fif")
        mne.io.RawArray(ts, info, verbose="ERROR").save(whole, fmt="double", overwrite=True, verbose="ERROR")
        whole.replace(part)
