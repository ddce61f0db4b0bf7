"""The structural connectome: weights and tract lengths between named regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow import io
from vbiflow.connectome.normalise import Step, normalise
from vbiflow.connectome.quality import Finding


@dataclass(frozen=True)
class Connectome:
    """Weights and tract_lengths [mm] (target, source) between named regions with centres (n_nodes, 3) [mm].

    Unknown lengths and centres are not-a-number, unknown hemispheres and networks empty. `findings` tell its quality.
    """

    weights: np.ndarray
    tract_lengths: np.ndarray
    labels: tuple[str, ...]
    centres: np.ndarray
    hemispheres: tuple[str, ...]
    networks: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

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
        return replace(self, centres=self.centres[chosen], **arrays, **texts)

    def normalised(self, steps: Sequence[Step]) -> Connectome:
        """The connectome with its weights normalised by named steps, in order; see `normalise`."""
        return replace(self, weights=normalise(self.weights, steps))

    def delays(self, speed: float) -> np.ndarray:
        """Conduction delays, tract_lengths / speed: (target, source) [ms] for a speed in mm/ms (= m/s).

        Raises
        ------
        ValueError
            If the speed is not above zero, or if a connection's length is unknown.
        """
        if not speed > 0:
            raise ValueError(f"speed is {speed:g} mm/ms; allowed is above 0")
        connected = self.weights != 0
        if np.isnan(self.tract_lengths[connected]).any():
            raise ValueError("a speed needs tract lengths; give tract_lengths, or regions with centres x, y, z")
        return np.where(connected, self.tract_lengths, 0.0) / speed

    def save(self, path: str | Path, provenance: Mapping[str, Any]) -> None:
        """Write to HDF5."""
        edges, node = ("target", "source"), ("node",)
        quantities = {
            "weights": io.Quantity(self.weights, "1", edges),
            "tract_lengths": io.Quantity(self.tract_lengths, "mm", edges),
            "labels": io.Quantity(list(self.labels), axes=node),
            "centres": io.Quantity(self.centres, "mm", ("node", "xyz")),
            "hemispheres": io.Quantity(list(self.hemispheres), axes=node),
            "networks": io.Quantity(list(self.networks), axes=node),
        }
        findings = [finding.plain() for finding in self.findings]
        io.write(path, quantities, {**provenance, "findings": findings})

    @classmethod
    def load(cls, path: str | Path) -> Connectome:
        """Read what `save` wrote."""
        names = ("weights", "tract_lengths", "labels", "centres", "hemispheres", "networks")
        content = io.read(path, *names)
        texts = {name: tuple(content[name]) for name in ("labels", "hemispheres", "networks")}
        findings = tuple(Finding(**finding) for finding in io.attributes(path).get("findings", []))
        try:
            return cls(**{**content, **texts}, findings=findings)
        except ValueError as error:
            raise ValueError(f"{path}: {error}; delete it and run again") from None
