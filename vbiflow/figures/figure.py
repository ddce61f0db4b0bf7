"""What a figure is: whose, drawn from which files and settings of a study, and when a study wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vbiflow.empirical.cohort import TABLES
from vbiflow.features.scores import SCORES
from vbiflow.marginals import read_prior

Wanted = Callable[[Any, str], bool]

INPUTS: dict[str, dict[str, str]] = {
    "cohort": {
        "table": "cohort.tsv",
        "priors": "{estimators}/prior.h5",
        "samples": "subjects/{subjects}/samples.h5",
    },
    "estimator": {
        "connectome": "{estimator}/connectome.h5",
        "prior": "{estimator}/prior.h5",
        "features": "{estimator}/features.h5",
        "training": "{estimator}/training.json",
        "diagnostics": "{estimator}/diagnostics.h5",
        "features_report": "{estimator}/features_report.json",
        "ablation": "{estimator}/ablation.json",
        "baselines": "{estimator}/baselines.json",
        "learning_curve": "{estimator}/learning_curve.h5",
    },
    "subject": {
        "samples": "subjects/{subject}/samples.h5",
        "baselines": "subjects/{subject}/baselines/{baselines}.h5",
        "x_o": "subjects/{subject}/x_o.h5",
        "predictive": "subjects/{subject}/predictive.h5",
        "sensitivity": "subjects/{subject}/sensitivity.h5",
        "local_c2st": "subjects/{subject}/local_c2st.h5",
        "robust": "subjects/{subject}/robust.h5",
        "exact": "subjects/{subject}/exact.h5",
        "prior": "{last_round}/prior.h5",
        "first_prior": "{first_round}/prior.h5",
        "features": "{last_round}/features.h5",
        "rounds": "{later_rounds}/theta.h5",
        "connectome": "{connectome}/connectome.h5",
        "lead_field": "{connectome}/lead_field.h5",
    },
    "comparison": {"comparison": "../comparison/{studies}/{subject}.json"},
    "amortisation": {"people": "../amortisation/{studies}/{subject}.json"},
}
"""Files that figures of each scope can be drawn from, within a study's results; a name in the plural is a list."""

FEW_PEOPLE, FEW_PARAMETERS = 6, 4
"""People whose posteriors are drawn in the same axes at most, and their parameters."""

PARAMETERS: dict[str, Callable[[Any, str], Any]] = {
    "scores": lambda study, owner: study["diagnostics"]["scores"],
    "n_predictive": lambda study, owner: study["diagnostics"]["n_predictive"],
    "signal": lambda study, owner: study.compared_signal(owner),
    "nodes": lambda study, owner: study.nodes,
    "has_course": lambda study, owner: "series_error" in study["diagnostics"]["scores"],
    "noises": lambda study, owner: noises(study),
    "truths": lambda study, owner: {
        name: study["truth"][name] for name in study.subjects_of(owner) if name in study["truth"]
    },
    "studies": lambda study, owner: owner.split("+"),
    "estimators": lambda study, owner: study.estimator_names,
}
"""What figures can take from the study."""


def always(study: Any, owner: str) -> bool:
    """Figures that every study draws."""
    return True


def if_asked(key: str) -> Wanted:
    """Figures of a diagnostic that a study asks for."""
    return lambda study, owner: bool(study["diagnostics"][key])


def has_series(study: Any, owner: str) -> bool:
    """Whether there is a series to draw, not a table of spectra or features alone."""
    return study.cohort[owner]["kind"] not in TABLES and not study.analytic


def if_scored(quantity: str) -> Wanted:
    """Figures of what the study's predictive scores are computed from: fc, fcd or psd."""
    return lambda study, owner: (
        has_series(study, owner) and quantity in [SCORES[name].quantity for name in study["diagnostics"]["scores"]]
    )


def regional(study: Any, owner: str) -> bool:
    """Whether a parameter of every region is inferred."""
    return any(entry.get("per") == "node" for entry in study["prior"].values())


def noises(study: Any) -> list[str]:
    """Inferred parameters that are levels of noise, of the dynamics or of the measurement, one for all regions."""
    found = study["prior"].items()
    return [name for name, entry in found if name in ("sigma", "noise") and not {"per", "map"} & entry.keys()]


def has_others(study: Any, owner: str) -> bool:
    """Whether other estimators are applied to recordings too; those of later rounds would have learnt from more."""
    asked = study["diagnostics"]
    return bool(asked["baselines"] and asked["estimators"]) and study.n_rounds == 1


def infers_noise(study: Any, owner: str) -> bool:
    """Whether a level of noise is inferred."""
    return bool(noises(study))


def has_regional_features(study: Any, owner: str) -> bool:
    """Whether there is a recording of which features of single nodes are taken."""
    per_node = any("node" in request.options.get("per", ()) for request in study.feature_requests)
    return per_node and study.cohort[owner]["kind"] != "features"


def few_people(study: Any, owner: str) -> bool:
    """Whether posteriors fit into the same axes: of up to FEW_PEOPLE, and FEW_PARAMETERS without a region."""
    return len(study.subjects) <= FEW_PEOPLE and 0 < n_shared(study) <= FEW_PARAMETERS


def n_shared(study: Any) -> int:
    """How many parameters without a region are inferred."""
    return sum(marginal.per is None for marginal in read_prior(study["prior"]))


def has_plane(study: Any, owner: str) -> bool:
    """Whether two parameters are inferred, and no more."""
    return n_shared(study) == 2 and not regional(study, owner)


def has_scalp_spectra(study: Any, owner: str) -> bool:
    """Whether there are spectra of electrodes on the scalp."""
    return study.on_sensors and study.cohort[owner]["kind"] == "eeg" and if_scored("psd")(study, owner)


@dataclass(frozen=True)
class Figure:
    """A figure: where it belongs and what it is drawn from.

    Attributes
    ----------
    scope : whose figure it is, one of INPUTS.
    category : heading in Snakemake's report.
    module : file in vbiflow/figures that holds the function, which is called as the figure is.
    arguments : where each argument of the function comes from. ``input/dataset`` (or a key of JSON),
        ``input/dataset@attribute`` (``theta@units``: by parameter) and ``input`` (its path or paths) name a file of
        INPUTS; one of PARAMETERS comes from the study.
    read : name of a function of the module that turns these arguments into those that the figure takes; none if empty.
    wanted : whether a study draws it for a subject or estimator.
    """

    scope: str
    category: str
    module: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    read: str = ""
    wanted: Wanted = always

    @property
    def inputs(self) -> list[str]:
        """Files that it is drawn from, by name."""
        names = [source.partition("/")[0] for source in self.arguments.values()]
        return [name for name in dict.fromkeys(names) if name not in PARAMETERS]

    @property
    def parameters(self) -> list[str]:
        """What it takes from the study, by name."""
        return [source for source in self.arguments.values() if source in PARAMETERS]

    @property
    def file(self) -> str:
        """Path of its module, relative to the repository."""
        return f"vbiflow/figures/{self.module}.py"

    def functions(self, name: str) -> list[str]:
        """What draws the figure `name`, as ``file:function``."""
        return [f"{self.file}:{function}" for function in (name, self.read) if function]

    def plain(self) -> dict[str, Any]:
        """What a job needs to draw it, as plain data: a change redraws the figures of its scope, and no others."""
        return {"module": self.module, "arguments": dict(self.arguments), "read": self.read}


def units(file: str) -> dict[str, str]:
    """The argument `units`: of the parameters, by name, whose values theta are in a file."""
    return {"units": f"{file}/theta@units"}


def datasets(file: str, *names: str, **renamed: str) -> dict[str, str]:
    """Arguments that are datasets of one file, under their own names or others."""
    own = {name: f"{file}/{name}" for name in names}
    return own | {argument: f"{file}/{name}" for argument, name in renamed.items()}
