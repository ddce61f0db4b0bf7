"""Places of sensors: MNE's montages, and what a recording says of its own."""

from __future__ import annotations

import mne
import numpy as np

from vbiflow.reading import pluralise, shorten_list


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
    return places if have_position(places).all() else None


def have_position(places: np.ndarray) -> np.ndarray:
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
    names = [name for name, has_place in zip(info["ch_names"], have_position(places), strict=True) if not has_place]
    if names:
        text = f"{pluralise(len(names), 'channel has', 'channels have')} no position: {shorten_list(names)}"
        raise ValueError(f"lead field: {text}; set recording.montage, rename or drop them")
