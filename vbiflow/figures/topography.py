"""Figure of band power over the head: recording and prediction, sensor by sensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Wedge
from numpy.typing import NDArray

from vbiflow.figures.recording import ROLES
from vbiflow.figures.style import PALETTE, canvas, finite_array, message, styled
from vbiflow.io import read

Array = NDArray[np.float64]
BANDS = {"delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 45.0)}


def read_sensor_spectra(names: Sequence[str], head: str, **spectra: Array) -> dict[str, Any]:
    """Arguments of `topography`: positions of the sensors from the file of a lead field, and spectra as they are."""
    found = read(head)
    places = dict(zip(found["sensors"], found.get("positions", ()), strict=False))
    return {"names": names, "positions": [places.get(name) for name in names], **spectra}


@styled
def topography(
    observed: Array, predicted: Array, frequencies: Array, positions: Sequence[Array | None], names: Sequence[str],
    bands: Mapping[str, tuple[float, float]] = BANDS,
) -> Figure:  # fmt: skip
    """Draw power in bands [Hz] over the head, of recording and prediction, on one colour scale a band.

    `observed` and `predicted` are power spectral densities (n_sensors, n_frequencies) [V^2/Hz] at evenly spaced
    `frequencies` [Hz], `positions` (3,) [mm] those of the sensors `names` in the head frame, None where unknown.
    """
    if any(place is None for place in positions):
        return message("The positions of the sensors are not known: there is no map to draw.")
    import mne

    spectra = finite_array("psd_observed", observed), finite_array("psd", predicted)
    chosen = {name: edges for name, edges in bands.items() if in_band(frequencies, edges).any()}
    info = mne.create_info(list(names), 1.0, "eeg", verbose="ERROR")
    places = dict(zip(names, np.asarray(positions) / 1000.0, strict=True))
    info.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"), verbose="ERROR")
    sphere = head_sphere(np.asarray(positions) / 1000.0)
    figure = canvas(3.1, 1.42 * len(chosen))
    panels = figure.subplots(2, len(chosen), squeeze=False)
    for column, (name, edges) in enumerate(chosen.items()):
        power = [decibels(spectrum, frequencies, edges) for spectrum in spectra]
        limits = np.nanmin(power), np.nanmax(power)
        for row, role in enumerate(ROLES):
            axes = panels[row, column]
            image, _ = mne.viz.plot_topomap(
                power[row], info, axes=axes, show=False, contours=0, cmap="viridis", vlim=limits, sphere=sphere,
                extrapolate="local", sensors=True,
            )  # fmt: skip
            within_the_head(axes, image, sphere)
            if column == 0:
                axes.text(-0.08, 0.5, role, transform=axes.transAxes, rotation=90, ha="right", va="center",
                          color=PALETTE[role])  # fmt: skip
        panels[0, column].set_title(f"{name}, {edges[0]:g}–{edges[1]:g} Hz")
        bar = figure.colorbar(image, ax=panels[:, column], location="bottom", shrink=0.8, aspect=14, pad=0.02)
        bar.set_label("power [dB re 1 µV²]" if column == 0 else "")
        bar.ax.locator_params(nbins=4)
    return figure


def head_sphere(positions: Array) -> tuple[float, float, float, float]:
    """Centre and radius [m] of the sphere that electrodes (n, 3) [m] in the head frame are projected from.

    Its equator is the circle of the map: at the height of Fpz and Oz, as electrodes of the 10-20 system lie, or at that
    of the lowest electrode, if one lies lower; so that each lies within the head.
    """
    return (0.0, 0.0, float(min(0.035, positions[:, 2].min())), 0.095)


def within_the_head(axes: Axes, image: AxesImage, sphere: tuple[float, float, float, float]) -> None:
    """Show the electrodes, and nothing painted outside the circle of the head."""
    limits = axes.axis()
    ring = Wedge(sphere[:2], 2 * sphere[3], 0, 360, width=sphere[3], facecolor="white", zorder=image.get_zorder() + 0.5)
    axes.add_patch(ring)
    axes.axis(limits)
    for dots in axes.collections:  # the electrodes
        dots.set(color=PALETTE["ink"], sizes=[2.0], linewidth=0, zorder=5)


def in_band(frequencies: Array, edges: tuple[float, float]) -> NDArray[np.bool_]:
    """Return which frequencies lie in a band."""
    return (frequencies >= edges[0]) & (frequencies < edges[1])


def decibels(spectrum: Array, frequencies: Array, edges: tuple[float, float]) -> Array:
    """Return the power of each sensor in a band, 10 log10 of uV^2."""
    power = spectrum[:, in_band(frequencies, edges)].sum(axis=1) * (frequencies[1] - frequencies[0])
    return 10 * np.log10(np.maximum(power * 1e12, 1e-30))
