"""How sensors see the brain: simulated regions through a lead field, their own noise, their reference.

The reference is the same code for simulations and recordings; what follows it (filters, standardisation) is the study's
preparation, which is the same for both as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.io import open_sealed, read, read_attributes, read_values
from vbiflow.streams import random_generator

NOISE = 0x73656E73
"""Tells the sensors' noise from the other random numbers of a study's seed."""
SENSOR_PARAMETERS = ("noise", "gain")
"""What of the sensors can be inferred: their noise, and a factor of the lead field."""


def reference_matrix(names: Sequence[str], reference: str | Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Matrix (n_left, n_sensors) that refers sensors to the average of all, to named ones or to none, and who is left.

    A sensor that is the only reference is zero from then on, and left out.

    Raises
    ------
    ValueError
        If a named sensor is not there.
    """
    n = len(names)
    if reference == "none":
        return np.eye(n), tuple(names)
    if reference == "average":
        return np.eye(n) - 1.0 / n, tuple(names)
    chosen = [reference] if isinstance(reference, str) else list(reference)
    missing = [name for name in chosen if name not in names]
    if missing:
        raise ValueError(
            f"sensors.reference: no sensor {missing[0]!r}; write average, none, or sensors, of {', '.join(names[:8])}"
        )
    matrix = np.eye(n) - np.isin(names, chosen) / len(chosen)
    left = [k for k, name in enumerate(names) if [name] != chosen]
    return matrix[left], tuple(names[k] for k in left)


def reference_of(kind: str, options: Mapping[str, Any]) -> str | Sequence[str]:
    """What sensors refer to: as a study's observation.sensors says, else the average for EEG, none for others."""
    return options.get("reference", "average" if kind == "eeg" else "none")


@dataclass(frozen=True)
class Sensors:
    """The way from simulated regions to the nodes that features are taken on.

    `gain` (n_sensors, n_nodes) is the lead field in units of the sensors per unit of the signal that is simulated,
    `view` (n_seen, n_sensors) what is made of the sensors: their reference, or an inverse that leads back to regions.
    `noise` is the standard deviation of every sensor's white noise, which follows from `seed`, `stream` and the
    simulation's index alone. Where simulations have noise or a factor of the gain of their own, `sensor_parameters`
    holds them: name (noise, gain) -> index -> value. `unit` is that of the nodes that features are taken on.
    """

    gain: np.ndarray
    view: np.ndarray
    noise: float = 0.0
    seed: int = 0
    stream: int = 0
    sensor_parameters: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    unit: str = "V"

    def __call__(self, ts: np.ndarray, index: Sequence[int] | np.ndarray) -> np.ndarray:
        """Series (n_simulations, n_seen, n_times) of the simulations `index` (n_simulations, n_nodes, n_times)."""
        return np.matmul(self.view, self.record(ts, index))

    def record(self, ts: np.ndarray, index: Sequence[int] | np.ndarray) -> np.ndarray:
        """What the sensors record (n_simulations, n_sensors, n_times), with their noise, before any reference."""
        recorded = np.matmul(self.gain, np.asarray(ts, float))
        for one, k in zip(recorded, map(int, index), strict=True):
            if "gain" in self.sensor_parameters:
                one *= self.sensor_parameters["gain"][k]
            noise = self.sensor_parameters["noise"][k] if "noise" in self.sensor_parameters else self.noise
            if noise:
                one += noise * random_generator(self.seed, NOISE, self.stream, k).standard_normal(one.shape)
        return recorded


def sensors_of(
    path: str | Path | None,
    options: Mapping[str, Any] | None,
    seed: int,
    stream: int = 0,
    simulations: str | Path | None = None,
) -> Sensors | None:
    """The way from simulated regions to sensors by the lead field saved at `path`, and back if it has an inverse.

    None if there is no lead field. `options` are the study's observation.sensors, `simulations` a file of those that
    are to be recorded, which may have noise and gain of their own.
    """
    if not path:
        return None
    content, options = read(path), options or {}
    reference, _ = reference_matrix(content["sensors"], reference_of(read_attributes(path)["kind"], options))
    view = content.get("inverse", reference)
    noise, own = float(options.get("noise", 0.0)), read_sensor_parameters(simulations) if simulations else {}
    return Sensors(content["gain"], view, noise, seed, stream, own, read_attributes(path)["unit"])


def read_sensor_parameters(path: str | Path) -> dict[str, dict[int, float]]:
    """Noise and gain of the simulations in a file, by name and index, where they have their own."""
    with open_sealed(path) as file:
        index = read_values(file, "index").tolist()
        return {
            name: dict(zip(index, read_values(file, name), strict=True)) for name in SENSOR_PARAMETERS if name in file
        }
