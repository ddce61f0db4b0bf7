"""A study: its settings and people, and what follows from them for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.connectome.pool import block_size
from vbiflow.empirical.bids import read_folders
from vbiflow.empirical.cohort import read_cohort
from vbiflow.empirical.sensor_options import sensor_unit, uses_linear_inverse, with_user_files
from vbiflow.engine.derived import derived_quantities
from vbiflow.engine.draws import NETWORK_PARAMETERS, extreme_values
from vbiflow.estimator_options import resolve_options
from vbiflow.features import read_specs
from vbiflow.features.registry import Request, spectral_grid
from vbiflow.marginals import Marginal
from vbiflow.models import Model, find_model, own_model
from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.places import user_file, user_path
from vbiflow.provenance import ROOT
from vbiflow.reading import suggest
from vbiflow.study.topology import Topology

INLINE = 12
"""Up to this many subjects stand on the report itself."""
FOLDER = "config/features"


class Study(Topology):
    """What the settings of a study say of its simulations, recordings and features."""

    @cached_property
    def feature_requests(self) -> list[Request]:
        """The study's features with their options."""
        return read_specs(self["features"], FOLDER)

    @cached_property
    def features(self) -> list[str]:
        """Names of the study's features, each a group of values."""
        return [request.name for request in self.feature_requests]

    @property
    def groups(self) -> list[str]:
        """What the estimator is told, by the start of its columns' names: features, and of a pool the connectome."""
        return [*self.features, *(["connectome"] if self.pooled else [])]

    @cached_property
    def neural_mass(self) -> Model:
        """The model that a node is."""
        return find_model(self["model"])

    @cached_property
    def own_files(self) -> list[str]:
        """Files of the features and of the model that the study brings itself."""
        own = {request.file for request in self.feature_requests} | {own_model(self["model"])}
        return sorted(str(file.absolute()) for file in own if file)

    @property
    def simulation(self) -> dict[str, Any]:
        """Settings of the engine."""
        return {key: value for key, value in self["simulation"].items() if key not in ("shard_size", "keep")}

    @property
    def reported(self) -> dict[str, Any]:
        """Settings that reports and provenance tell: all but matters of the machine, which change no number."""
        kept = {key: value for key, value in self.settings.items() if key != "resources"}
        return kept | {"simulation": self.simulation}

    @property
    def keeps_series(self) -> bool:
        """Whether the simulated series stay, so that other features can be taken from them later."""
        return self["simulation"]["keep"]

    @property
    def signal(self) -> str:
        """The recorded series that features are taken from: of an observation model, or the first of the signals."""
        observation = self["observation"]
        slow = (name for name in OBSERVATION_MODELS if name in observation)
        return next(slow, None) or next(iter(observation["signals"]))

    @property
    def interval(self) -> float:
        """Sampling interval [ms] of that series."""
        if self.signal in OBSERVATION_MODELS:
            return self["observation"][self.signal]["tr"]
        return self["observation"]["signals"][self.signal].get("period", self["simulation"]["dt"])

    @property
    def recorded(self) -> dict[str, Any]:
        """What the engine records: series of the regions, and whether there are sensors."""
        regional = {key: value for key, value in self["observation"].items() if key not in ("sensors", "spectrum")}
        if self.analytic:
            regional["spectrum"] = spectral_grid(self.feature_requests, 1000.0 / self.interval)
        return regional | ({"sensors": True} if self.sensors else {})

    @property
    def analytic(self) -> bool:
        """Whether features are taken from the spectra of the linear equations, without simulating."""
        return "spectrum" in self["observation"]

    @property
    def noise_per_region(self) -> bool:
        """Whether simulations have the measurement noise that each region of the person's recording has."""
        noise = self["observation"].get("noise")
        return isinstance(noise, Mapping) and noise.get("per") == "region"

    @property
    def sensors(self) -> dict[str, Any]:
        """How regions reach sensors; empty if no sensors are said."""
        return with_user_files(self["observation"].get("sensors", {}))

    @property
    def on_sensors(self) -> bool:
        """Whether features are taken on sensors."""
        return bool(self.sensors) and self["recording"].get("to", "sensors") == "sensors"

    @property
    def projected(self) -> bool:
        """Whether simulated regions are projected to sensors, where they stay or whence they are led back."""
        return bool(self.sensors) and (self.on_sensors or uses_linear_inverse(self["recording"]))

    @property
    def has_series(self) -> bool:
        """Whether simulations and anybody's recording are series, not spectra or features alone."""
        return not self.analytic and any(row["kind"] not in ("psd", "features") for row in self.cohort.values())

    @property
    def deterministic(self) -> bool:
        """Whether simulations of one theta are all the same, as no noise drives them and they start alike."""
        model = self.neural_mass
        noise = "sigma" in model.parameters and "sigma" not in self["prior"]
        silent = noise and not np.any(self["parameters"].get("sigma", model.parameters["sigma"].value))
        given = {**self["parameters"], **self["observation"], **self["prior"], **self.sensors}
        chance = any("random" in entry for entry in given.values() if isinstance(entry, Mapping))
        silent = silent and "noise" not in given and not self.analytic and not chance
        return bool(silent) and all(low == high for low, high in (s.initial for s in model.states.values()))

    @property
    def units(self) -> dict[str, str]:
        """Units of what can be fixed or inferred."""
        units = {
            name: parameter.unit
            for known in (self.neural_mass.parameters, derived_quantities(self.neural_mass))
            for name, parameter in known.items()
        } | NETWORK_PARAMETERS
        return units | ({"noise": self.sensor_unit} if self.sensors else {})

    @property
    def sensor_unit(self) -> str:
        """Unit of what the sensors record."""
        kinds = [row["kind"] for row in self.cohort.values()]
        return sensor_unit("meg" if "meg" in kinds else "", self["recording"])

    @property
    def delays(self) -> tuple[float, float, float] | None:
        """Lowest and highest conduction speed [m/s] and dt [ms]; None where there are no delays."""
        if "speed" in self["prior"]:
            speeds = extreme_values(Marginal.from_config("speed", self["prior"]["speed"]))
        elif "speed" in self["parameters"]:
            speeds = (self["parameters"]["speed"],) * 2
        else:
            return None
        return (*speeds, self["simulation"]["dt"])

    def maps(self, connectome: str) -> dict[str, str]:
        """Files of the regional maps of one person's connectome."""
        return {
            name: user_file(entry.replace("{participant_id}", connectome))
            for name, entry in self["connectome"]["maps"].items()
        }

    def values(self, *names: str) -> dict[str, Any]:
        """Parameters of the model that are not inferred, as the study gives them or by default."""
        defaults = {name: self.neural_mass.parameters[name].value for name in names if name not in self["prior"]}
        return defaults | {name: value for name, value in self["parameters"].items() if name in defaults}

    @property
    def paged(self) -> bool:
        """Whether each subject has a page of its own, as there are too many for one report."""
        return len(self.subjects) > INLINE

    @property
    def inference_options(self) -> dict[str, Any]:
        """Options of the training; the number of rounds, which remakes none of the earlier ones, left out."""
        return {key: value for key, value in self["inference"].items() if key != "rounds"}

    @property
    def estimator_names(self) -> list[str]:
        """The estimator of `inference`, and those that `diagnostics.estimators` sets beside it."""
        return [resolve_options(self["inference"])["estimator"]["name"], *self["diagnostics"]["estimators"]]

    @property
    def pool_options(self) -> Mapping[str, Any] | None:
        """How simulations draw from a pool of connectomes; None where they do not."""
        if not self.pooled:
            return None
        return {**self["connectome"].get("pool", {}), "block": block_size(self.n_simulations)}

    @property
    def n_predictive_simulations(self) -> int:
        """Simulations from a person's posterior: those compared with the recording, and those that give the floor."""
        return self["diagnostics"]["n_predictive"] + self["diagnostics"]["n_floor"]

    @property
    def model(self) -> dict[str, str]:
        """Title and reference of the model."""
        model = self.neural_mass
        return {"title": model.title, "reference": model.reference}

    @property
    def nodes(self) -> str:
        """What features are taken on: regions or sensors."""
        return "sensors" if self.on_sensors else "regions"

    def compared_signal(self, subject: str) -> str:
        """How figures name what a subject is compared in."""
        return self.cohort[subject]["kind"] if self.on_sensors else self.signal


def choose_cohort(entry: str | Mapping[str, Any], config: Path | None = None) -> dict[str, dict[str, Any]]:
    """The cohort that a study means by the name or path of a table, a BIDS folder, or what it takes of BIDS folders."""
    if isinstance(entry, Mapping):
        return read_folders(**entry)
    name = f"{entry.removesuffix('.tsv')}.tsv"
    table = user_path(f"config/cohorts/{name}") if config is None else config / "cohorts" / name
    if not table.is_file() and Path(entry).is_dir():
        return read_folders(entry)
    written = Path(user_path(name))
    if config is None and not table.is_file() and not written.is_file():
        folders = Path("config/cohorts"), ROOT / "config/cohorts"  # the user's own come first
        known = list(dict.fromkeys(file.stem for folder in folders for file in sorted(folder.glob("*.tsv"))))
        place = name if "/" in name else f"config/cohorts/{name}"
        raise ValueError(
            f"unknown cohort {entry!r}; choose from {', '.join(known)}, or write {place}{suggest(entry, known)}"
        )
    return read_cohort(written if written.is_file() and not Path(table).is_file() else table)
