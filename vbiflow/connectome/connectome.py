"""The structural connectome: weights and tract lengths between named regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow import io
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.normalise import Step, normalise


@dataclass(frozen=True)
class Connectome:
    """Weights and tract_lengths [mm] (target, source) between named regions with centres (n_nodes, 3) [mm].

    Unknown lengths and centres are not-a-number, unknown hemispheres and networks empty. `findings` tell its quality.
    `maps` are one number a region (n_nodes,) by name, for parameters that follow them.
    """

    weights: np.ndarray
    tract_lengths: np.ndarray
    labels: tuple[str, ...]
    centres: np.ndarray
    hemispheres: tuple[str, ...]
    networks: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.labels)
        shapes = {"weights": (n, n), "tract_lengths": (n, n), "centres": (n, 3), "hemispheres": (n,), "networks": (n,)}
        for name, shape in shapes.items():
            found = np.shape(getattr(self, name))
            if found != shape:
                raise ValueError(f"{name} has shape {found}, but {n} regions need {shape}")

    @property
    def n_nodes(self) -> int:
        """Number of regions."""
        return len(self.labels)

    def take(self, indices: Sequence[int] | np.ndarray) -> Connectome:
        """The connectome of the regions at `indices`, in that order."""
        chosen = np.asarray(indices, dtype=int)
        square = np.ix_(chosen, chosen)
        texts = {name: tuple(getattr(self, name)[i] for i in chosen) for name in ("labels", "hemispheres", "networks")}
        arrays = {"weights": self.weights[square], "tract_lengths": self.tract_lengths[square]}
        maps = {name: values[chosen] for name, values in self.maps.items()}
        return replace(self, centres=self.centres[chosen], maps=maps, **arrays, **texts)

    def normalised(self, steps: Sequence[Step]) -> Connectome:
        """The connectome with its weights normalised by named steps, in order; see `normalise`."""
        return replace(self, weights=normalise(self.weights, steps, self.labels))

    def delays(self, speed: float) -> np.ndarray:
        """Conduction delays, tract_lengths / speed: (target, source) [ms] for a speed in m/s (= mm/ms).

        Raises
        ------
        ValueError
            If the speed is not above zero, or if a connection's length is unknown.
        """
        if not speed > 0:
            raise ValueError(f"speed is {speed:g} m/s; allowed is above 0")
        connected = self.weights != 0
        if np.isnan(self.tract_lengths[connected]).any():
            raise ValueError("a speed needs tract lengths; give tract_lengths, or regions with centres x, y, z")
        return np.where(connected, self.tract_lengths, 0.0) / speed

    def check_delays(self, slowest: float, fastest: float, dt: float) -> None:
        """Refuse speeds [m/s] whose delays are unknown, or shorter than a step dt [ms]; zero lengths have no delay.

        Raises
        ------
        ValueError
            In one line that names the connection.
        """
        self.delays(slowest)
        delays = self.delays(fastest)
        shortest = delays[delays > 0].min(initial=np.inf)
        if np.rint(shortest / dt) < 1:
            i, j = np.argwhere(delays == shortest)[0]
            raise ValueError(
                f"simulation.dt {dt:g} ms is too long for the shortest delay, {shortest:.3g} ms ({self.labels[j]} to "
                f"{self.labels[i]}, {self.tract_lengths[i, j]:.3g} mm at {fastest:g} m/s); use a smaller dt"
            )

    def save(self, path: str | Path, provenance: Mapping[str, Any]) -> None:
        """Write to HDF5."""
        edges, node = ("target", "source"), ("node",)
        quantities = {
            "weights": io.Quantity(self.weights, "1", edges),
            "tract_lengths": io.Quantity(self.tract_lengths, "mm", edges),
            "labels": io.Quantity.text(self.labels, *node),
            "centres": io.Quantity(self.centres, "mm", ("node", "xyz")),
            "hemispheres": io.Quantity.text(self.hemispheres, *node),
            "networks": io.Quantity.text(self.networks, *node),
            "maps": io.Quantity(np.array([*self.maps.values()]).reshape(-1, self.n_nodes), "1", ("map", "node")),
            "map_names": io.Quantity.text(self.maps, "map"),
        }
        findings = [finding.plain() for finding in self.findings]
        io.write(path, quantities, {**provenance, "findings": findings})

    @classmethod
    def load(cls, path: str | Path) -> Connectome:
        """Read what `save` wrote."""
        names = ("weights", "tract_lengths", "labels", "centres", "hemispheres", "networks", "maps", "map_names")
        content = io.read(path, *names)
        maps = dict(zip(content.pop("map_names"), content.pop("maps"), strict=True))
        texts = {name: tuple(content[name]) for name in ("labels", "hemispheres", "networks")}
        findings = tuple(Finding(**finding) for finding in io.read_attributes(path).get("findings", []))
        try:
            return cls(**{**content, **texts}, findings=findings, maps=maps)
        except ValueError as error:
            raise ValueError(f"{path}: {error}; delete it and run again") from None
