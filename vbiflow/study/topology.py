"""Who has which estimator, connectome, round, shard and file: the folders of a study's results.

``connectome.per`` decides: `subject`, an estimator a person on their own connectome; a participant_id, one estimator on
that person's connectome for all; `average`, one on the mean of everybody's; `pooled`, one estimator that learns from
everybody's connectomes and is told which; `leave_one_out`, such an estimator for each person from all connectomes but
their own.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vbiflow.empirical.cohort import COLUMNS, SENSOR_KINDS
from vbiflow.pools import AVERAGE, LEAVE_ONE_OUT, POOLED
from vbiflow.reading import shorten_list

PER = ("subject", "average", "pooled", "leave_one_out")
"""What connectome.per may be beside the name of one participant whose connectome all share."""
SHARD = re.compile(r"shard-\d{6,}-\d{6,}")
RESERVED = ("subjects", "figures", "logs", "benchmarks")
"""Folders of a study's results that are nobody's."""


@dataclass(frozen=True)
class Topology:
    """Estimators, connectomes, rounds, shards and paths of a study's people.

    `name` is ``name`` or ``name@scale``, `settings` hold the study file with defaults filled in, `cohort` one row a
    person.
    """

    name: str
    settings: dict[str, Any]
    cohort: dict[str, dict[str, Any]]

    def __getitem__(self, section: str) -> Any:
        return self.settings[section]

    @property
    def subjects(self) -> list[str]:
        """Everybody of the cohort, in the table's order."""
        return list(self.cohort)

    @cached_property
    def estimators(self) -> list[str]:
        """Folders of estimators: one a subject, one for all on a shared connectome, or on the connectomes of many."""
        return list(dict.fromkeys(map(self.estimator_of, self.subjects)))

    @property
    def pooled(self) -> bool:
        """Whether one estimator learns from the connectomes of many, and is told which."""
        return self["connectome"]["per"] in ("pooled", "leave_one_out")

    def connectome_of(self, subject: str) -> str:
        """The person whose connectome stands for `subject`."""
        per = self["connectome"]["per"]
        return subject if per in PER else per

    def network_of(self, subject: str) -> str:
        """Folder of the connectome that simulations of `subject` run on: a person's, or the mean of all."""
        return AVERAGE if self["connectome"]["per"] == "average" else self.connectome_of(subject)

    def estimator_of(self, subject: str) -> str:
        """Folder of the estimator that is applied to `subject`."""
        folders = {"average": AVERAGE, "pooled": POOLED, "leave_one_out": LEAVE_ONE_OUT + subject}
        return folders.get(self["connectome"]["per"], self.connectome_of(subject))

    def members(self, estimator: str) -> list[str]:
        """Subjects whose connectomes an estimator learns from, or whose mean it learns on."""
        if not self.pooled and estimator != AVERAGE:
            return [estimator]
        return [name for name in self.subjects if estimator != LEAVE_ONE_OUT + name]

    @cached_property
    def subjects_by_estimator(self) -> dict[str, list[str]]:
        """Subjects to whom each estimator is applied."""
        found: dict[str, list[str]] = {}
        for subject in self.subjects:
            found.setdefault(self.estimator_of(subject), []).append(subject)
        return found

    def subjects_of(self, estimator: str) -> list[str]:
        """Subjects to whom an estimator is applied."""
        return self.subjects_by_estimator.get(estimator, [])

    @cached_property
    def simulated(self) -> frozenset[str]:
        """Subjects whose recordings are simulations with known parameters: kind simulated, or sensors with no file."""
        return frozenset(
            name
            for name, row in self.cohort.items()
            if row["kind"] == "simulated" or (row["kind"] in SENSOR_KINDS and not row["recording"])
        )

    @property
    def n_rounds(self) -> int:
        """Rounds of simulations; from the second on each subject has its own."""
        return self["inference"]["rounds"]

    def round_of(self, subject: str, number: int) -> str:
        """Folder of the estimator of a subject's round, counted from 1."""
        return self.estimator_of(subject) if number == 1 else f"subjects/{subject}/rounds/{number}"

    @property
    def n_simulations(self) -> int:
        """Simulations an estimator: to train, to stop the training, and held out for the diagnostics."""
        return self["inference"]["n_simulations"]

    @property
    def shards(self) -> list[str]:
        """Names of the shards of one estimator's simulations, where none are there yet."""
        return self.shards_beside(())

    def shards_beside(self, made: Sequence[str]) -> list[str]:
        """Names of the shards of one estimator's simulations: those that are `made`, and new ones for the rows between.

        So another `shard_size` makes nothing again. Of shards that begin alike the first named is taken.
        """
        there: dict[int, int] = {}
        for start, stop in map(self.rows, filter(SHARD.fullmatch, made)):
            if start < stop <= self.n_simulations:
                there.setdefault(start, stop)
        names, start = [], 0
        starts = sorted(there)
        while start < self.n_simulations:
            following = bisect(starts, start)
            limit = starts[following] if following < len(starts) else self.n_simulations
            stop = there.get(start, min(start + self["simulation"]["shard_size"], limit))
            names.append(f"shard-{start:06d}-{stop:06d}")
            start = stop
        return names

    def rows(self, shard: str) -> tuple[int, int]:
        """First and one past the last simulation of a shard, which its name tells."""
        start, stop = map(int, shard.split("-")[1:])
        return start, stop

    def theta_rows(self, subject: str) -> tuple[int, int]:
        """First and one past the last row of a job that simulates the subject alone: its number in the cohort."""
        first = self.subjects.index(subject)
        return first, first + 1

    def path(self, folder: str, name: str) -> str:
        """The file `name` of an estimator's folder, or of a person's connectome."""
        return f"results/{self.name}/{folder}/{name}"

    def subject_path(self, subject: str, name: str) -> str:
        """The file `name` of a subject."""
        return self.path(f"subjects/{subject}", name)

    def round_path(self, subject: str, number: int, name: str) -> str:
        """The file `name` of the estimator of a subject's round."""
        return self.path(self.round_of(subject, number), name)

    def pool_paths(self, estimator: str) -> list[str]:
        """The connectomes that an estimator draws from; none if it has one of its own."""
        return self.member_paths(estimator) if self.pooled else []

    def member_paths(self, estimator: str) -> list[str]:
        """The connectomes of the people that an estimator's folder stands for."""
        return [self.path(member, "connectome.h5") for member in self.members(estimator)]

    @property
    def effective(self) -> dict[str, Any]:
        """Which recordings weights are fitted to; empty where they are anatomy's."""
        return self["connectome"].get("effective", {})

    def fitted_to(self, person: str) -> list[str]:
        """People whose recordings the weights of a person's connectome are fitted to."""
        if not self.effective:
            return []
        if self.effective["from"] == "first_half":
            return [person]
        return [name for name in self.subjects if name != person and name not in self.simulated]

    @property
    def fitted_part(self) -> str | None:
        """The part of those recordings that is used; None for all of them."""
        return None if self.effective.get("from") == "others" else self.effective.get("from")

    def fitted_words(self, person: str) -> str:
        """What those recordings are, in words."""
        people = self.fitted_to(person)
        return "the first half of the recording" if self.fitted_part else f"recordings of {len(people)} other people"

    def row(self, person: str) -> Mapping[str, Any]:
        """The cohort's row of a person; of one whose recording is simulated, with the file that is made of it."""
        if person not in self.cohort:
            raise ValueError(f"{self.name}: no participant {person!r}; it has {shorten_list(list(self.cohort))}")
        entries = self.cohort[person]
        if person not in self.simulated:
            return entries
        name = "recording_raw.fif" if entries["kind"] in SENSOR_KINDS else "recording.h5"
        return entries | {"recording": self.subject_path(person, name)}

    @property
    def covariates(self) -> dict[str, dict[str, str]]:
        """Further columns of the cohort, such as age, by subject."""
        rows = self.cohort.items()
        return {name: {key: entry for key, entry in row.items() if key not in COLUMNS} for name, row in rows}


def amortisation_paths(own: Topology, other: Topology, subject: str) -> dict[str, str]:
    """A person's own estimator, connectome and simulations, and the estimator from other people.

    Raises
    ------
    ValueError
        If the first study has no estimator for each person, or if both have the same seed.
    """
    if own.pooled:
        raise ValueError(f"{own.name} is pooled; it needs connectome.per: subject or average")
    if own["seed"] == other["seed"]:
        raise ValueError(
            f"both have seed {own['seed']}, so that simulations which {own.name} holds out may be those that "
            f"{other.name} learnt from; give one of them another seed"
        )
    folder = own.estimator_of(subject)
    return {
        "own": own.path(folder, "posterior.pt"),
        "prior": own.path(folder, "prior.h5"),
        "features": own.path(folder, "features.h5"),
        "connectome": own.path(folder, "connectome.h5"),
        "other": other.path(other.estimator_of(subject), "posterior.pt"),
        "own_samples": own.subject_path(subject, "samples.h5"),
        "other_samples": other.subject_path(subject, "samples.h5"),
    }
