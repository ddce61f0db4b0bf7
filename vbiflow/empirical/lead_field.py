"""Lead fields: what each region's activity gives at each sensor; read, made from a template, checked, applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow import io
from vbiflow.arrays import read_array, read_table
from vbiflow.arrays.text import read_lines
from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.regions import match_labels
from vbiflow.features import Nodes
from vbiflow.observation.sensors import reference_matrix, reference_of
from vbiflow.reading import pluralise, shorten_list

MIDLINE = 5.0
"""Sensors closer to the midline [mm] belong to no hemisphere."""


@dataclass(frozen=True)
class LeadField:
    """Gain (n_sensors, n_nodes) from named regions to named sensors; its unit is that of the sensors per source unit.

    `positions` (n_sensors, 3) [mm] are those of the sensors, where known, and `kind` is eeg, meg or seeg. `inverse`
    (n_nodes, n_sensors), where there is one, leads back to the regions: both recording and simulations go through it.
    `projector` (n_sensors, n_sensors) is what the recording's own projectors (SSP) do to it, and so to simulations.
    `unit` is that of the sensors, or of what the inverse makes of them. `space`, mni or scanner, is where intracranial
    contacts have their positions.

    Raises
    ------
    ValueError
        If a region reaches no sensor, or if a gain is not finite.
    """

    gain: np.ndarray
    sensors: tuple[str, ...]
    labels: tuple[str, ...]
    positions: np.ndarray | None = None
    kind: str = ""
    inverse: np.ndarray | None = None
    unit: str = "V"
    projector: np.ndarray | None = None
    space: str = ""

    def __post_init__(self) -> None:
        shape = (len(self.sensors), len(self.labels))
        if np.shape(self.gain) != shape:
            raise ValueError(f"lead field of shape {np.shape(self.gain)} for {shape[0]} sensors and {shape[1]} regions")
        if not np.isfinite(self.gain).all():
            names = shorten_list(
                [s for s, row in zip(self.sensors, self.gain, strict=True) if not np.isfinite(row).all()]
            )
            raise ValueError(f"lead field: gains are not finite at {names}; drop these sensors")
        silent = ~self.gain.any(axis=0)
        if silent.any() and self.kind != "seeg":  # electrodes in the brain hear what is near them
            names = shorten_list([label for label, is_silent in zip(self.labels, silent, strict=True) if is_silent])
            count = pluralise(int(silent.sum()), "region reaches", "regions reach")
            raise ValueError(f"lead field: {count} no sensor: {names}; their sources lie outside")

    def project(self, ts: np.ndarray) -> np.ndarray:
        """Sensor series (..., n_sensors, n_times) of regional series (..., n_nodes, n_times)."""
        return np.matmul(self.gain, ts)

    def take(self, sensors: Sequence[str] | None = None, labels: Sequence[str] | None = None) -> LeadField:
        """The lead field of these sensors, named exactly, and regions, usual prefixes ignored, in that order."""
        rows, columns = range(len(self.sensors)), range(len(self.labels))
        if sensors is not None:
            missing = [name for name in sensors if name not in self.sensors]
            if missing:
                raise ValueError(
                    f"lead field: no sensor {shorten_list(missing)}; it has {shorten_list(self.sensors, 8)}"
                )
            rows = [self.sensors.index(name) for name in sensors]
        if labels is not None:
            columns = match_labels(labels, self.labels, "lead field", "the connectome").tolist()
        names = tuple(self.sensors[k] for k in rows), tuple(self.labels[k] for k in columns)
        places = None if self.positions is None else self.positions[list(rows)]
        return LeadField(self.gain[np.ix_(rows, columns)], *names, places, self.kind, unit=self.unit, space=self.space)

    def side(self, sensor: str) -> str:
        """Hemisphere that a sensor lies over, L or R; empty on the midline or where it has no position."""
        x = 0.0 if self.positions is None else self.positions[self.sensors.index(sensor), 0]
        return "" if abs(x) < MIDLINE else "L" if x < 0 else "R"

    def view(self, options: Mapping[str, Any]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Matrix from the sensors to the nodes that features are taken on, and their names.

        The nodes are the regions if there is an inverse, else the sensors in the reference that a study's
        observation.sensors, `options`, ask for.
        """
        if self.inverse is not None:
            return self.inverse, self.labels
        matrix, names = reference_matrix(self.sensors, reference_of(self.kind, options))
        return matrix if self.projector is None else matrix @ self.projector, names

    def with_sensors(self, positions: np.ndarray | None, kind: str, projector: np.ndarray | None = None) -> LeadField:
        """The lead field with positions (n_sensors, 3) [mm], kind and projector of its sensors."""
        return replace(self, positions=positions, kind=kind, projector=projector)

    def scaled(self, factor: float) -> LeadField:
        """The lead field for sources in another unit."""
        return replace(self, gain=self.gain * factor)

    def save(self, path: str | Path, provenance: Mapping[str, Any]) -> None:
        """Write to HDF5."""
        quantities = {
            "gain": io.Quantity(self.gain, "sensor unit / source unit", ("sensor", "node")),
            "sensors": io.Quantity.text(self.sensors, "sensor"),
            "labels": io.Quantity.text(self.labels, "node"),
        }
        if self.positions is not None:
            quantities["positions"] = io.Quantity(self.positions, "mm", ("sensor", "xyz"))
        if self.inverse is not None:
            quantities["inverse"] = io.Quantity(self.inverse, f"{self.unit} / sensor unit", ("node", "sensor"))
        if self.projector is not None:
            quantities["projector"] = io.Quantity(self.projector, "1", ("sensor", "recorded sensor"))
        io.write(path, quantities, {**provenance, "kind": self.kind, "unit": self.unit, "space": self.space})

    @classmethod
    def load(cls, path: str | Path) -> LeadField:
        """Read what `save` wrote."""
        content = io.read(path)
        names = (tuple(content[name]) for name in ("sensors", "labels"))
        notes = io.read_attributes(path)
        parts = content.get("positions"), notes["kind"], content.get("inverse"), notes["unit"], content.get("projector")
        return cls(content["gain"], *names, *parts, notes.get("space", ""))


def nodes_of(field: LeadField | None, options: Mapping[str, Any] | None, connectome: Connectome) -> Nodes:
    """Nodes that features are taken on: the sensors that a lead field leads to, if it does not lead back, else regions.

    `options` are the study's observation.sensors.
    """
    if field is None or field.inverse is not None:
        return Nodes(connectome.labels, connectome.hemispheres, connectome.networks)
    names = field.view(options or {})[1]
    return Nodes(names, [field.side(name) for name in names])


def read_lead_field(path: str | Path) -> LeadField:
    """Read a table of gains with a header of regions and a first column of sensors, or what `save` wrote (.h5)."""
    if str(path).lower().endswith((".h5", ".hdf5")):
        return LeadField.load(path)
    table = read_table(path)
    if not table.columns or not table.rows:
        raise ValueError(f"{path}: a lead field needs a header of region names and a first column of sensor names")
    return LeadField(table.values, table.rows, table.columns)


def read_sensor_names(path: str | Path) -> tuple[str, ...]:
    """Names of sensors: the first word of every line, as in TVB's tables of sensors."""
    if not Path(path).is_file():
        raise ValueError(f"{path}: no such file")
    lines = read_lines(path)
    return tuple(line.split()[0] for line in lines if line.strip() and not line.startswith("#"))


def surface_lead_field(
    projection: str | Path, region_mapping: str | Path, labels: Sequence[str], sensors: Sequence[str]
) -> LeadField:
    """Sum a lead field of surface vertices (n_sensors, n_vertices), as TVB stores it, over regions.

    `region_mapping` holds each vertex's region as an index into `labels`. Sensors with a gain that is not a number are
    dropped; vertices beyond the mapping or the projection, and regions without a vertex, are errors.
    """
    gain, vertices = read_array(projection), read_array(region_mapping).ravel().astype(int)
    if gain.shape != (len(sensors), len(vertices)):
        sizes = f"{gain.shape[0]} sensors x {gain.shape[1]} vertices"
        raise ValueError(f"{projection}: {sizes}, but {len(sensors)} sensor names and {len(vertices)} mapped vertices")
    if vertices.min() < 0 or vertices.max() >= len(labels):
        raise ValueError(
            f"{region_mapping}: regions {vertices.min()} to {vertices.max()}, but there are {len(labels)} labels"
        )
    good = np.isfinite(gain).all(axis=1)
    total = np.zeros((int(good.sum()), len(labels)))
    np.add.at(total.T, vertices, gain[good].T)
    names = [name for name, is_good in zip(sensors, good, strict=True) if is_good]
    if len(set(names)) < len(names):
        raise ValueError(f"{projection}: sensor names occur twice; give each sensor its own")
    return LeadField(total, tuple(names), tuple(labels))


def contact_lead_field(
    contacts: np.ndarray, centres: np.ndarray, sensors: Sequence[str], labels: Sequence[str], nearest: float = 1.0
) -> LeadField:
    """Gain 1 / r^2 of contacts (n, 3) [mm] in the brain to region centres (n_nodes, 3), r at least `nearest` [mm]."""
    distances = np.linalg.norm(np.asarray(contacts)[:, None] - np.asarray(centres), axis=-1)
    if not np.isfinite(distances).all():
        raise ValueError("lead field: a contact or a region has no position; give x, y, z [mm] of all")
    return LeadField(1.0 / np.maximum(distances, nearest) ** 2, tuple(sensors), tuple(labels))
