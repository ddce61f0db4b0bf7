"""Result files of one case study, and what is read of them to decide a claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from vbiflow.diagnostic_options import GOOD
from vbiflow.io import read, read_attributes, read_json
from vbiflow.prior import Prior

ENOUGH = 200
"""Held-out simulations from which a claim can be decided."""
CALIBRATED = 0.9
"""Share of a parameter's posteriors that must be calibrated for a claim on it to be decided."""
LEARNT = {"rmse", "coverage_90", "shrinkage", "information"}
"""What is read of a learning curve."""


@dataclass(frozen=True)
class Results:
    """Result files of one study, read when they are asked for.

    `paths`: of diagnostics, calibration, features_report, prior, samples (one a person); sensitivity, baselines,
    learning_curve or "". `others`: results of the other studies, by their names.
    """

    paths: Mapping[str, Any]
    others: Mapping[str, Results] = field(default_factory=dict)

    @cached_property
    def diagnostics(self) -> dict[str, Any]:
        """What diagnostics.json holds."""
        return read_json(self.paths["diagnostics"])

    def of(self, parameter: str, key: str) -> list[Any]:
        """What the diagnostics say under `key` of a parameter, one value for each region or coefficient.

        Raises
        ------
        ValueError
            If it is not inferred.
        """
        entries = self.diagnostics["parameters"].items()
        found = [one[key] for name, one in entries if name.partition("[")[0] == parameter]
        if not found:
            raise ValueError(f"{self.paths['diagnostics']}: no parameter {parameter} is inferred")
        return found

    def held_out(self, key: str, *parameters: str) -> np.ndarray:
        """What the calibration holds under `key` of the held-out simulations (n, p), of all regions of a parameter."""
        found = read(self.paths["calibration"], "names", key)
        stems = [name.partition("[")[0] for name in found["names"]]
        return np.asarray(found[key], float)[
            :, [k for one in parameters for k, stem in enumerate(stems) if stem == one]
        ]

    @property
    def n_samples(self) -> int:
        """Posterior samples among which the truths of the held-out simulations are ranked."""
        return int(read_attributes(self.paths["calibration"], "ranks")["n_samples"])

    def explained(self, parameter: str) -> float:
        """Share of a parameter's variance that a regression on the features explains, the median over its regions."""
        shares = read_json(self.paths["features_report"])["explained"].items()
        return float(np.median([share for name, share in shares if name.partition("[")[0] == parameter]))

    def baselines(self, key: str, *names: str) -> list[Any]:
        """What the comparison of estimators says under `key` of some of them; nothing if one was not compared."""
        methods = (self.file("baselines") or {}).get("methods", {})
        return [methods[name].get(key) for name in names] if {*names} <= methods.keys() else []

    def calibrated(self, *parameters: str) -> bool:
        """Whether enough simulations are held out and nearly all posteriors of the parameters are calibrated."""
        good = np.mean([word in GOOD for parameter in parameters for word in self.of(parameter, "verdict")])
        return bool(self.diagnostics["n_test"] >= ENOUGH and good >= CALIBRATED)

    def jointly_calibrated(self, *parameters: str) -> bool:
        """Whether the posteriors are calibrated one by one, and TARP does not speak against the joint posterior."""
        return self.calibrated(*parameters) and self.diagnostics["tarp"]["verdict"] in GOOD

    def samples(self, *parameters: str) -> tuple[np.ndarray, np.ndarray]:
        """Posterior samples (n, p) of the first person, and draws from the prior (m, p), of some parameters."""
        found = read(self.paths["samples"][0], "theta", "names")
        columns = [list(found["names"]).index(name) for name in parameters]
        drawn = Prior.from_plain(read_attributes(self.paths["prior"])["prior"]).sample(0, 0, 4000)
        return np.asarray(found["theta"], float)[:, columns], np.asarray(drawn, float)[:, columns]

    @cached_property
    def person_90(self) -> float:
        """Share of the first person's parameters that lie in their 90 % intervals; nan where none is known."""
        if not self.paths.get("samples"):
            return float("nan")
        found = read(self.paths["samples"][0], "theta", "truth")
        known = np.isfinite(found["truth"])
        low, high = np.quantile(found["theta"][:, known], [0.05, 0.95], axis=0)
        inside = (found["truth"][known] >= low) & (found["truth"][known] <= high)
        return float(inside.mean()) if known.any() else float("nan")

    def learning(self, parameter: str, few: int) -> tuple[dict[str, np.ndarray], int] | None:
        """A parameter's learning curve, scores by number of simulations, and the place of `few`; or None."""
        curve = self.file("learning_curve")
        if curve is None or few not in curve["n_simulations"]:
            return None
        column, scores = list(curve["parameters"]).index(parameter), curve.keys() & LEARNT
        found = {key: np.asarray(curve[key])[0, :, column] for key in scores}
        return found | {"n_simulations": curve["n_simulations"]}, list(curve["n_simulations"]).index(few)

    def file(self, key: str) -> dict[str, Any] | None:
        """What an optional HDF5 or JSON file holds, None where the study does not ask for it."""
        path = self.paths.get(key)
        return None if not path else read_json(path) if str(path).endswith(".json") else read(path)
