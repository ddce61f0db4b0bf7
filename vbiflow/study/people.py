"""What would happen to each person of a study: every file of the cohort is read before anything is simulated."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from vbiflow.arrays import is_table
from vbiflow.connectome import Connectome, prepare_connectome
from vbiflow.datasets import find_origin, load_catalogue
from vbiflow.empirical import ComparisonSettings, describe_recording, observe
from vbiflow.empirical.cohort import FILES
from vbiflow.empirical.lead_field import LeadField, nodes_of
from vbiflow.empirical.regional import read_regional
from vbiflow.empirical.sensor_options import head_files
from vbiflow.empirical.sensor_space import make_lead_field
from vbiflow.job import format_duration
from vbiflow.prior import Prior
from vbiflow.reading import Problems, join_problems, reading
from vbiflow.study.study import FOLDER, Study

REGIONAL = ("bold", "source")
"""Kinds of recordings whose series are those of regions."""


class Outcome(NamedTuple):
    """What would become of a person: `ready`, `left out`, or `unread` where files are still to be fetched."""

    person: str
    state: str
    text: str


def check_people(study: Study) -> Iterator[Outcome]:
    """Read connectome and recording of everybody, as the jobs of the study will."""

    @cache
    def connectome_of(person: str) -> Connectome:
        options = study["connectome"]
        return prepare_connectome(study.cohort[person], options, study.maps(person), study.delays)

    for subject in study.subjects:
        person = study.connectome_of(subject)
        missing = first_unfetched(study, subject, person)
        if missing:
            yield Outcome(subject, "unread", f"{missing}: of the catalogue, fetched when the study runs")
            continue
        told, connectome = io.StringIO(), None
        try:
            with contextlib.redirect_stdout(told):
                connectome = connectome_of(person)
                recording = describe_person(study, subject, connectome)
        except ValueError as error:
            others = [] if connectome else recording_problems(study, subject)
            found = [" ".join(text.split()) for text in (str(error), *others)]
            yield Outcome(subject, "left out", join_problems(found))
            continue
        start = f"{study.cohort[subject]['recording']}: "
        remarks = [line.removeprefix(start) for line in told.getvalue().splitlines() if line.startswith(start)]
        warned = [finding.text for finding in connectome.findings if finding.severity != "note"]
        read = f"{len(connectome.labels)} regions, {recording}"
        yield Outcome(subject, "ready", "; ".join([read, *remarks, *warned]))


def first_unfetched(study: Study, subject: str, person: str) -> str:
    """The first file of a subject that the catalogue provides and that is not there yet."""
    entries = [study.cohort[name][column] for name in (subject, person) for column in FILES]
    for entry in [*entries, *study.maps(person).values(), *head_files(study.sensors)]:
        file = entry.partition("::")[0]
        if file and not Path(file).exists() and find_origin(file, load_catalogue()):
            return file
    return ""


def describe_person(study: Study, subject: str, connectome: Connectome) -> str:
    """What a subject's recording is, once its features are taken as the study takes them."""
    if subject in study.simulated:
        prior = Prior.from_config(study["prior"], connectome.labels, connectome.maps)
        try:
            prior.theta(study["truth"][subject], connectome.weights)
        except ValueError as error:
            raise ValueError(f"truth.{subject}: {error}") from None
        return "recording simulated"
    row: Mapping[str, str] = study.cohort[subject]
    lead_field = lead_field_of(study, row, connectome) if study.projected else None
    settings = ComparisonSettings(
        study.signal,
        nodes_of(lead_field, study.sensors, connectome),
        study.interval,
        study["simulation"]["duration"],
        study["features"],
        study["preparation"],
        FOLDER,
        study.sensors,
        lead_field,
    )
    quantities = observe(row, settings, study["connectome"]["select"], study["recording"])
    found = describe_recording(row, quantities, study.sensors, options=study["recording"])
    n_features = len(quantities["names"].values)
    if "recording_duration" not in found:
        return f"{row['kind']}, {n_features} features"
    length = format_duration(float(found["recording_duration"]))
    return f"{row['kind']} of {length}, {found['recording_channels']} channels, {n_features} features"


def recording_problems(study: Study, subject: str) -> list[str]:
    """What is wrong with a subject's regional series where no connectome can be read, so that both are told at once."""
    row = study.cohort[subject]
    if subject in study.simulated or row["kind"] not in REGIONAL:
        return []
    problems = Problems()
    with problems.collect(), contextlib.redirect_stdout(io.StringIO()), reading(row["recording"]):
        read_regional(row, None, study["connectome"]["select"], study["recording"])
    return problems.found


def lead_field_of(study: Study, row: Mapping[str, str], connectome: Connectome) -> LeadField:
    """The lead field from the regions to the sensors of a recording."""
    recording = None if is_table(row["recording"]) else row["recording"]
    return make_lead_field(recording, row["kind"], study["recording"], study.sensors, connectome)
