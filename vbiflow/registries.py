"""The members of the registries that a study uses: a change of any other member remakes nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vbiflow.connectome.normalise import parse as steps
from vbiflow.connectome.read import format_of
from vbiflow.estimator_options import resolve_options
from vbiflow.models import MODELS
from vbiflow.observation import OBSERVATION_MODELS

if TYPE_CHECKING:
    from vbiflow.study import Study


def cohort_members(rows: Iterable[Mapping[str, Any]]) -> tuple[frozenset[str], frozenset[str]]:
    """Formats of the connectomes and kinds of the recordings in rows of a cohort."""
    rows = list(rows)
    formats = {format_of(str(row["weights"])) for row in rows} - {None}  # whoever has another file is left out
    return frozenset(formats), frozenset(row["kind"] for row in rows)


def members_of(
    study: Study, formats: Iterable[str], kinds: Iterable[str], estimators: Iterable[str], device: str = ""
) -> dict[str, set[str]]:
    """Members of the registries that a job of a checked study may use, by the registries' full names.

    `formats` and `kinds` are those of the connectomes and recordings that the job may read, `estimators` those that it
    trains or samples from; `device` says which engine simulates, if that is known.
    """
    inference, diagnostics = resolve_options(study["inference"]), study["diagnostics"]
    features = {request.feature.name for request in study.feature_requests if not request.file}
    return {
        "vbiflow.models.MODELS": {study["model"]} & MODELS.keys(),
        "vbiflow.observation.OBSERVATION_MODELS": {*study["observation"]} & OBSERVATION_MODELS.keys(),
        "vbiflow.engine.integrators.INTEGRATORS": {study["simulation"]["integrator"]},
        "vbiflow.connectome.read.READERS": {*formats},
        "vbiflow.connectome.normalise.NORMALISATIONS": {name for name, _ in steps(study["connectome"]["normalise"])},
        "vbiflow.empirical.observe.KINDS": {*kinds},
        "vbiflow.features.registry.FEATURES": features,
        "vbiflow.features.registry.SETS": set(),  # a study's list has its sets replaced
        "vbiflow.features.scores.SCORES": {*diagnostics["scores"]},
        "vbiflow.inference.estimators.ESTIMATORS": {*estimators},
        "vbiflow.estimator_options.ESTIMATOR_OPTIONS": {*estimators},
        "vbiflow.inference.embeddings.EMBEDDINGS": {inference["embedding"]["name"]},
        "vbiflow.estimator_options.EMBEDDING_OPTIONS": {inference["embedding"]["name"]},
    } | ({"vbiflow.engine.simulate.ENGINES": {device}} if device else {})
