"""Study files: read, checked against the schema and the registries, completed with defaults."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jsonschema import Draft202012Validator

from vbiflow.arrays import is_table
from vbiflow.connectome.normalise import parse as steps
from vbiflow.connectome.quality import check_accept
from vbiflow.connectome.streamlines import check_counting
from vbiflow.datasets import load_catalogue
from vbiflow.empirical.bids import read_folders
from vbiflow.empirical.cohort import COLUMNS, REGIONAL, SENSOR_KINDS, TABLES, check_file, read_cohort
from vbiflow.empirical.sensor_options import check_recording, check_sensors, leads_back, sensor_unit
from vbiflow.empirical.series import check_options
from vbiflow.engine.checks import choose
from vbiflow.engine.draws import BESIDE, check_draws, extremes
from vbiflow.estimator_options import ESTIMATOR_OPTIONS, resolve
from vbiflow.features import expanded, read_specs
from vbiflow.features.preparation import read_preparation
from vbiflow.features.registry import check_epochs
from vbiflow.features.scores import SCORES, choose_scores
from vbiflow.marginals import Marginal, read_marginals
from vbiflow.models import MODELS
from vbiflow.prior import check_names
from vbiflow.provenance import ROOT

DEFAULTS: dict[str, Any] = {
    "parameters": {},
    "connectome": {
        "per": "subject",
        "select": {},
        "normalise": ["max"],
        "accept": [],
        "maps": {},
        "streamlines": {},
    },
    "truth": {},
    "simulation": {"integrator": "heun", "transient": 0.0, "precision": "float32", "shard_size": 500},
    "recording": {},
    "preparation": {},
    "inference": {"estimator": "maf", "rounds": 1},
    "posterior": {"n_samples": 10000},
    "diagnostics": {
        "n_predictive": 100,
        "n_floor": 20,
        "thresholds": {},
        "scores": [],
        "ablation": False,
        "exact": False,
        "sensitivity": True,
        "local_c2st": False,
        "baselines": False,
        "optimise": 0,
        "estimators": [],
        "learning_curve": [],
    },
    "resources": {},
}

FEWEST = 30
"""So many simulations are to train, to validate and to test; some may turn out invalid."""
INLINE = 12
"""Up to this many subjects stand on the report itself."""
FOLDER = ROOT / "config" / "features"


PER = ("subject", "cohort", "others")
"""What connectome.per may be beside the name of one participant whose connectome all share."""


@dataclass(frozen=True)
class Study:
    """A checked study: its name (``name`` or ``name@scale``), settings with defaults filled in, and cohort rows."""

    name: str
    settings: dict[str, Any]
    cohort: dict[str, dict[str, Any]]

    def __getitem__(self, section: str) -> Any:
        return self.settings[section]

    @property
    def subjects(self) -> list[str]:
        return list(self.cohort)

    @cached_property
    def connectomes(self) -> list[str]:
        """Folders of estimators: one a subject, one for all on a shared connectome, or on the connectomes of many."""
        return list(dict.fromkeys(map(self.estimator_of, self.subjects)))

    def connectome_of(self, subject: str) -> str:
        """The person whose connectome stands for `subject`."""
        per = self["connectome"]["per"]
        return subject if per in PER else per

    def estimator_of(self, subject: str) -> str:
        """Folder of the estimator that is applied to `subject`."""
        per = self["connectome"]["per"]
        return {"cohort": "cohort", "others": f"others-{subject}"}.get(per, self.connectome_of(subject))

    @property
    def n_rounds(self) -> int:
        """Rounds of simulations; from the second on each subject has its own."""
        return self["inference"]["rounds"]

    def round_of(self, subject: str, number: int) -> str:
        """Folder of the estimator of a subject's round, counted from 1."""
        return self.estimator_of(subject) if number == 1 else f"subjects/{subject}/rounds/{number}"

    @property
    def pooled(self) -> bool:
        """Whether one estimator learns from the connectomes of many, and is told which."""
        return self["connectome"]["per"] in ("cohort", "others")

    def members(self, estimator: str) -> list[str]:
        """Subjects whose connectomes an estimator learns from."""
        if not self.pooled:
            return [estimator]
        return [name for name in self.subjects if estimator != f"others-{name}"]

    def subjects_of(self, estimator: str) -> list[str]:
        """Subjects to whom an estimator is applied."""
        return [subject for subject in self.subjects if self.estimator_of(subject) == estimator]

    @cached_property
    def features(self) -> list[str]:
        """Names of the study's features, each a group of values."""
        return [request.name for request in read_specs(self["features"], FOLDER)]

    @property
    def groups(self) -> list[str]:
        """What the estimator is told, by the start of its columns' names: features, and of a pool the connectome."""
        return [*self.features, *(["connectome"] if self.pooled else [])]

    @cached_property
    def own_features(self) -> list[str]:
        """Files of the features that the study brings itself, relative to the repository."""
        return sorted({shown(request.file) for request in read_specs(self["features"], FOLDER) if request.file})

    @property
    def simulated(self) -> list[str]:
        """Subjects whose recordings are simulations with known parameters: kind simulated, or sensors with no file."""
        return [
            name
            for name, row in self.cohort.items()
            if row["kind"] == "simulated" or (row["kind"] in SENSOR_KINDS and not row["recording"])
        ]

    @property
    def n_simulations(self) -> int:
        """Simulations a connectome: to train, to stop the training, and held out for the diagnostics."""
        return self["inference"]["n_simulations"]

    @property
    def simulation(self) -> dict[str, Any]:
        """Settings of the engine."""
        return {key: value for key, value in self["simulation"].items() if key != "shard_size"}

    @property
    def signal(self) -> str:
        """The recorded series that features are taken from: bold, or the first of the signals."""
        observation = self["observation"]
        return "bold" if "bold" in observation else next(iter(observation["signals"]))

    @property
    def interval(self) -> float:
        """Sampling interval [ms] of that series."""
        if self.signal == "bold":
            return self["observation"]["bold"]["tr"]
        return self["observation"]["signals"][self.signal].get("period", self["simulation"]["dt"])

    @property
    def recorded(self) -> dict[str, Any]:
        """What the engine records: BOLD and signals of the regions; and whether there are sensors to hear them."""
        regional = {key: value for key, value in self["observation"].items() if key != "sensors"}
        return regional | ({"sensors": True} if self.sensors else {})

    @property
    def sensors(self) -> dict[str, Any]:
        """How regions reach sensors; empty if no sensors are said."""
        return self["observation"].get("sensors", {})

    @property
    def on_sensors(self) -> bool:
        """Whether features are taken on sensors."""
        return bool(self.sensors) and self["recording"].get("to", "sensors") == "sensors"

    @property
    def projected(self) -> bool:
        """Whether simulated regions are projected to sensors, where they stay or whence they are led back."""
        return bool(self.sensors) and (self.on_sensors or leads_back(self["recording"]))

    @property
    def deterministic(self) -> bool:
        """Whether simulations of one theta are all the same, as no noise drives them and they start alike."""
        model = MODELS[self["model"]]
        noise = "sigma" in model.parameters and "sigma" not in self["prior"]
        silent = noise and not np.any(self["parameters"].get("sigma", model.parameters["sigma"].value))
        given = {**self["parameters"], **self["observation"], **self["prior"], **self.sensors}
        silent = silent and "noise" not in given
        return bool(silent) and all(low == high for low, high in (s.initial for s in model.states.values()))

    @property
    def units(self) -> dict[str, str]:
        """Units of what can be fixed or inferred."""
        units = {name: parameter.unit for name, parameter in MODELS[self["model"]].parameters.items()} | BESIDE
        return units | ({"noise": self.sensor_unit} if self.sensors else {})

    @property
    def sensor_unit(self) -> str:
        """Unit of what the sensors record."""
        kinds = [row["kind"] for row in self.cohort.values()]
        return sensor_unit("meg" if "meg" in kinds else "", self["recording"])

    @property
    def delays(self) -> tuple[float, float, float] | None:
        """Lowest and highest conduction speed [mm/ms] and dt [ms]; None where there are no delays."""
        if "speed" in self["prior"]:
            speeds = extremes(Marginal.from_config("speed", self["prior"]["speed"]))
        elif "speed" in self["parameters"]:
            speeds = (self["parameters"]["speed"],) * 2
        else:
            return None
        return (*speeds, self["simulation"]["dt"])

    def maps(self, connectome: str) -> dict[str, str]:
        """Files of the regional maps of one person's connectome."""
        return {name: entry.format(participant_id=connectome) for name, entry in self["connectome"]["maps"].items()}

    def figures(self, subject: str) -> list[str]:
        """Names of the figures of a subject; a table of spectra or features has no series to draw."""
        asked = [name for name in ("sensitivity", "local_c2st") if self["diagnostics"][name]]
        asked += ["rounds"] if self.n_rounds > 1 else []
        kind, always = self.cohort[subject]["kind"], ["marginals", "pairs", *asked, "misspecification"]
        if kind in TABLES:
            return always
        quantities = [SCORES[name].quantity for name in self["diagnostics"]["scores"]]
        exact = ["exact"] if self["diagnostics"]["exact"] else []
        if self.on_sensors and kind == "eeg" and "psd" in quantities:
            quantities.append("topography")
        return list(dict.fromkeys([*always, *exact, "predictive", *quantities, "series"]))

    def values(self, *names: str) -> dict[str, Any]:
        """Parameters of the model that are not inferred, as the study gives them or by default."""
        defaults = {name: MODELS[self["model"]].parameters[name].value for name in names if name not in self["prior"]}
        return defaults | {name: value for name, value in self["parameters"].items() if name in defaults}

    @property
    def paged(self) -> bool:
        """Whether each subject has a page of its own, as there are too many for one report."""
        return len(self.subjects) > INLINE

    @property
    def cohort_figures(self) -> list[str]:
        """Names of the figures of a cohort of several people."""
        if len(self.subjects) < 2:
            return []
        return ["cohort", "covariates"] if any(self.covariates.values()) else ["cohort"]

    @property
    def covariates(self) -> dict[str, dict[str, str]]:
        """Further columns of the cohort, such as age, by subject."""
        rows = self.cohort.items()
        return {name: {key: entry for key, entry in row.items() if key not in COLUMNS} for name, row in rows}

    @property
    def connectome_figures(self) -> list[str]:
        """Names of the figures of a connectome and its estimator."""
        asked = [name for name in ("ablation", "baselines", "learning_curve") if self["diagnostics"][name]]
        return ["connectome", "training", "recovery", "calibration", "features", *asked, "invalid"]

    @property
    def shards(self) -> list[str]:
        """Names of the shards of one connectome's simulations."""
        return [f"shard-{k:04d}" for k in range(-(-self.n_simulations // self["simulation"]["shard_size"]))]

    def rows(self, shard: str) -> tuple[int, int]:
        """First and one past the last simulation of a shard."""
        size, number = self["simulation"]["shard_size"], int(shard.removeprefix("shard-"))
        return number * size, min((number + 1) * size, self.n_simulations)


def load_study(name: str, config: Path = ROOT / "config") -> Study:
    """Read ``config/studies/<name>.yaml``; for ``name@scale`` the scale's entries replace the study's.

    Raises
    ------
    ValueError
        In one line, with the file, the key, what was found and what is allowed.
    """
    stem, _, scale = name.partition("@")
    path = config / "studies" / f"{stem}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise ValueError(f"unknown study {stem!r}; choose from {', '.join(known)}, or write {shown(path)}")
    settings = parse(path)
    scales = settings.pop("scales", {})
    if scale and scale not in scales:
        raise ValueError(f"{shown(path)}: unknown scale {scale!r}; it has {', '.join(scales) or 'none'}")
    settings = merged(settings, scales.get(scale, {}))
    check_schema(settings, config / "schemas" / "study.schema.yaml", path)
    settings = merged(DEFAULTS, settings)
    settings["features"] = expanded(settings["features"])
    study = Study(name, settings, choose_cohort(settings["cohort"], config / "cohorts"))
    try:
        study["diagnostics"]["scores"] = choose_scores(study["diagnostics"]["scores"], study.signal)
        check(study)
    except ValueError as error:
        raise ValueError(f"{shown(path)}: {error}") from None
    return study


def choose_cohort(entry: str | Mapping[str, Any], tables: Path) -> dict[str, dict[str, Any]]:
    """The cohort that a study means by the name of a table, a BIDS folder, or what it takes of BIDS folders."""
    if isinstance(entry, Mapping):
        return read_folders(**entry)
    table = tables / f"{entry}.tsv"
    if not table.is_file() and Path(entry).is_dir():
        return read_folders(entry)
    return read_cohort(table)


def known_studies(config: Path = ROOT / "config") -> list[str]:
    """Names of the study files, and of their scales as ``name@scale``."""
    files = sorted((config / "studies").glob("*.yaml"))
    return [
        name for file in files for name in (file.stem, *(f"{file.stem}@{s}" for s in parse(file).get("scales", {})))
    ]


def shown(path: Path) -> str:
    """`path` as a user of the repository writes it."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def parse(path: Path) -> dict[str, Any]:
    """YAML mapping of a file; a syntax error is told with its line."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"{shown(path)}: line {line}: {error.problem}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{shown(path)}: found {content!r}; write key: value pairs")
    return content


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the entries of `over` replaced; the blocks that DEFAULTS names are merged key by key."""
    out = copy.deepcopy(dict(base))
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping) and key not in ("prior", "observation")
        out[key] = {**out[key], **copy.deepcopy(value)} if both else copy.deepcopy(value)
    return out


def check_schema(content: Mapping[str, Any], schema: Path, path: Path) -> None:
    """Raise the first violation of `schema` as one line."""
    found = validator(schema.read_text(encoding="utf-8")).iter_errors(content)
    for error in sorted(found, key=lambda error: list(map(str, error.path))):
        raise ValueError(f"{shown(path)}: {described(error)}")


@cache
def validator(schema: str) -> Draft202012Validator:
    """What checks content against the text of a schema, which is parsed once for all studies."""
    return Draft202012Validator(yaml.safe_load(schema))


def described(error: Any) -> str:
    """One line on a jsonschema error: where, what was found, what is allowed."""
    where = ".".join(map(str, error.path)) or "top level"
    if error.validator == "additionalProperties":
        allowed = list(error.schema["properties"])
        unknown = [key for key in error.instance if key not in allowed]
        near = difflib.get_close_matches(str(unknown[0]), allowed, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{where}: unknown key {unknown[0]!r}{hint} Allowed: {', '.join(allowed)}"
    if error.validator == "required":
        missing = [key for key in error.schema["required"] if key not in error.instance]
        return f"{where}: missing {', '.join(missing)}"
    return f"{where}: {error.message}"


def check(study: Study) -> None:
    """Compare names and numbers with the registries, before the DAG is built."""
    both = study["prior"].keys() & study["parameters"].keys()
    if both:
        raise ValueError(f"{', '.join(sorted(both))} stands in both prior and parameters; keep one")
    model = choose("model", study["model"], MODELS)
    for name in [*study["prior"], *study["parameters"]]:
        choose(f"parameter of {model.name}", name, model.parameters | BESIDE)
    per = study["connectome"]["per"]
    if per not in PER and per not in study.cohort:
        raise ValueError(
            f"connectome.per: unknown {per!r}; write {', '.join(PER)}, or one of {', '.join(study.subjects)}"
        )
    check_pool(study)
    for person in dict.fromkeys(map(study.connectome_of, study.subjects)):
        for name, file in study.maps(person).items():
            check_file("connectome.maps", name, file, load_catalogue())
    maps, settings = study["connectome"]["maps"], (study["parameters"], study.simulation, study.recorded)
    check_draws(study["model"], study["prior"], maps, *settings, seed=study["seed"])
    check_truth(study)
    check_exact(study)
    groups = study.groups
    if study["diagnostics"]["ablation"] and len(groups) < 2:
        raise ValueError(f"diagnostics.ablation leaves one feature out of several; found only {groups[0]}")
    check_preparation(study)
    check_recordings(study)
    check_accept(study["connectome"]["accept"])
    check_counting(**study["connectome"]["streamlines"])
    steps(study["connectome"]["normalise"])
    check_shares(study)
    check_evidence(study)


def check_truth(study: Study) -> None:
    """Each participant whose recording is simulated needs the parameters that make it."""
    names = [marginal.name for name, entry in study["prior"].items() for marginal in read_marginals(name, entry)]
    for name in study.simulated:
        if name not in study["truth"]:
            raise ValueError(f"truth: none of {name}, who has no recording; give a value of each inferred parameter")
    for name, values in study["truth"].items():
        if name not in study.simulated:
            known = ", ".join(study.simulated) or "none"
            raise ValueError(f"truth: {name!r} has a recording, or is nobody of the cohort; without one: {known}")
        try:
            check_names(values, names)
        except ValueError as error:
            raise ValueError(f"truth.{name}: {error}") from None


def check_recordings(study: Study) -> None:
    """Compare what a study says of its sensors and recordings with its cohort."""
    if "sensors" in study["observation"]:
        check_sensors(study.sensors)
        if "noise" in study["observation"]:
            raise ValueError("observation.noise: measurement noise is at the sensors; write observation.sensors.noise")
        if "noise" in study.sensors and "noise" in {**study["prior"], **study["parameters"]}:
            raise ValueError("noise stands in both observation.sensors and prior (or parameters); keep one")
        if study["diagnostics"]["optimise"]:
            raise ValueError(
                "diagnostics.optimise: point optimisation compares regions, the study sensors; leave it out"
            )
    for row in study.cohort.values():
        if row["kind"] in SENSOR_KINDS and not is_table(row["recording"]):
            check_recording(study["recording"], study.sensors)
        elif row["kind"] in REGIONAL or (row["kind"] in SENSOR_KINDS and not study.projected):
            check_options(study["recording"])


def check_preparation(study: Study) -> None:
    """Check the steps of the preparation, and that nothing runs across the borders of epochs."""
    if "epochs" not in read_preparation(study["preparation"], 1000.0 / study.interval):
        return
    check_epochs(read_specs(study["features"], FOLDER))
    if "fcd_ks" in study["diagnostics"]["scores"]:
        raise ValueError(
            "diagnostics.scores: fcd_ks runs across the borders of epochs; take fc_correlation, psd_distance"
        )


def check_exact(study: Study) -> None:
    """The exact posterior is known of the linear network's global parameters alone."""
    per_node = [name for name, entry in study["prior"].items() if "per" in entry]
    if study["diagnostics"]["exact"] and (study["model"] != "linear" or len(study["prior"]) > 2 or per_node):
        raise ValueError("diagnostics.exact: only model linear with one or two global parameters in the prior has it")
    if study["diagnostics"]["exact"] and study["observation"].get("signals", {}).get("x", {}).get("average", True):
        raise ValueError("diagnostics.exact: needs observation.signals.x with average: false, points in time")


def check_shares(study: Study) -> None:
    """Refuse fewer simulations than training and diagnostics would be content with once all are made."""
    n, inference = study.n_simulations, resolve(study["inference"])
    validation, test = inference["validation_share"], inference["test_share"]
    for use, share, cure in (
        ("validate", validation, f"raise it or validation_share {validation:g}"),
        ("test", test, f"raise it or test_share {test:g}"),
        ("train", 1 - validation - test, f"raise it, or lower the shares held out, {validation:g} and {test:g}"),
    ):
        if n * share < FEWEST - 1e-9:
            left = max(0, round(n * share))
            raise ValueError(
                f"inference.n_simulations: of {n} are left {left} to {use}, at least {FEWEST} should be; {cure}"
            )


def check_evidence(study: Study) -> None:
    """Refuse methods to compare with that do not exist, and learning curves beyond the study's simulations."""
    diagnostics = study["diagnostics"]
    for name in diagnostics["estimators"]:
        choose("estimator in diagnostics.estimators", name, ESTIMATOR_OPTIONS)
    beyond = [size for size in diagnostics["learning_curve"] if size > study.n_simulations]
    if beyond:
        raise ValueError(
            f"diagnostics.learning_curve: {beyond[0]} simulations, the study has {study.n_simulations}; raise "
            "inference.n_simulations or shorten the curve"
        )


def check_pool(study: Study) -> None:
    """Refuse a pool of connectomes of fewer than two people, and its options where there is none."""
    options, least = study["connectome"], 2 if study["connectome"]["per"] == "cohort" else 3
    if study.pooled and len(study.subjects) < least:
        raise ValueError(f"connectome.per: {options['per']} takes a cohort of {least} or more people")
    if not study.pooled and "pool" in options:
        raise ValueError("connectome.pool is for per: cohort or per: others; drop it, or set per")
    own = [name for name, entry in options["maps"].items() if "{participant_id}" in entry]
    if study.pooled and own:
        raise ValueError(
            f"connectome.maps.{own[0]}: a pool has one map for everybody; name one file, or set per: subject"
        )
    if study.pooled and study.n_rounds > 1:
        raise ValueError("inference.rounds: rounds need one connectome; set connectome.per: subject")
    if study.pooled and study["diagnostics"]["optimise"]:
        raise ValueError("diagnostics.optimise: point optimisation needs one connectome; set connectome.per: subject")


def load_config(path: Path) -> dict[str, Any]:
    """The top configuration: which studies plain `snakemake` runs."""
    content = parse(path)
    check_schema(content, path.parent / "schemas" / "config.schema.yaml", path)
    return content
