"""Named series as readers give them, before they are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from vbiflow.connectome.regions import homotopic_pairs, homotopic_ranks, match_labels
from vbiflow.labels import NUMBERED, canonical
from vbiflow.reading import pluralise, shorten_list

OPTIONS = ("demean", "confounds", "drop", "accept", "part")
PARTS = ("first_half", "second_half")
"""Parts of a recording that a study may be shown; the other one is held out."""
REST = "rest"
"""Value of the option drop: every region that the connectome lacks."""
ENOUGH = 8
"""Fewest pairs of counterparts from which the order of regions can be judged."""


@dataclass(frozen=True)
class Series:
    """Values (n_nodes, n_times) of regions; `seconds` is the sampling interval that the file states, if any.

    `named` tells whether the file, or its atlas, names them: otherwise nothing but their order says which is which.
    """

    values: np.ndarray
    labels: tuple[str, ...]
    seconds: float | None = None
    named: bool = True


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options of regional recordings that there are not.

    `demean` takes the mean out; `confounds` are columns of their table; `drop` names regions that the connectome lacks,
    or is rest for all of them; `accept: [homotopic]` lets a recording pass whose hemispheres look mixed up; of PARTS
    `part` is taken alone.
    """
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise ValueError(f"recording: unknown option {unknown[0]!r}; choose from {', '.join(OPTIONS)}")
    for name in ("confounds", "drop", "accept"):
        value = options.get(name, [])
        if not isinstance(value, list | tuple) and (name, value) != ("drop", REST):
            raise ValueError(f"recording.{name}: found {value!r}; write a list, as in [{value}]")
    if options.get("part", PARTS[0]) not in PARTS:
        raise ValueError(f"recording.part: found {options['part']!r}; choose from {', '.join(PARTS)}")
    strange = [name for name in options.get("accept", ()) if name != "homotopic"]
    if strange:
        raise ValueError(f"recording.accept: unknown finding {strange[0]!r}; choose from homotopic")


def split_halves(values: np.ndarray, part: str) -> tuple[np.ndarray, np.ndarray]:
    """The `part` of series (n_nodes, n_times) that is taken, and the one of the same length that is held out."""
    half = values.shape[1] // 2
    halves = values[:, :half], values[:, values.shape[1] - half :]
    return halves if part == PARTS[0] else halves[::-1]


def align(path: str, given: Sequence[str], wanted: Sequence[str], drop: Sequence[str] | str = ()) -> np.ndarray:
    """Indices that put the regions of a recording in the connectome's order; others than `drop` may not be left over.

    Raises
    ------
    ValueError
        If one side has regions that the other lacks; the message lists them, unless the connectome's have no names.
    """
    if wanted and all(map(NUMBERED.fullmatch, wanted)) and not any(map(NUMBERED.fullmatch, given)):
        cure = "give its table in the column regions of the cohort, or a header of names"
        raise ValueError(f"{path}: its regions have names, those of the connectome have none: {cure}")
    order = match_labels(wanted, given, path, "the connectome")
    known = {canonical(label) for label in (*wanted, *([] if drop == REST else drop))}
    extra = [] if drop == REST else [label for label in given if canonical(label) not in known]
    if extra:
        count = pluralise(len(extra), "region is", "regions are")
        advice = f"drop them by recording.drop: {REST}, or by a list of their names"
        raise ValueError(f"{path}: {count} not in the connectome: {shorten_list(extra)}; {advice}")
    return order


def check_sides(path: str, values: np.ndarray, labels: Sequence[str]) -> None:
    """Refuse BOLD series (n_nodes, n_times) in which regions do not go with their counterparts across.

    In resting fMRI a region correlates with its counterpart more than with nearly all others of the other hemisphere
    (Salvador et al. 2005, doi:10.1093/cercor/bhi016); in series of a wrong order no more than by chance.
    """
    found = homotopic_pairs(labels)
    if len(found) < ENOUGH:
        return
    rank = float(np.mean(homotopic_ranks(np.corrcoef(values), found)))
    by_chance = highest_by_chance(len(found))
    if rank < by_chance:
        text = f"a region's counterpart correlates more than {rank:.0%} of the regions across"
        raise ValueError(
            f"{path}: {text}, by chance up to {by_chance:.0%}; are left and right, or the regions, mixed up? "
            "correct their order, or write recording.accept: [homotopic]"
        )


def highest_by_chance(n_pairs: int) -> float:
    """The mean rank of counterparts that 99 of 100 random orders of regions stay below.

    Whatever the correlations, a mean of n ranks k / n is then nearly normal, of mean (n - 1) / 2n and variance at most
    (n + 1) / 12 n^2 (Hoeffding 1951, A combinatorial central limit theorem, Ann. Math. Statist. 22:558).
    """
    mean, variance = (n_pairs - 1) / (2 * n_pairs), (n_pairs + 1) / (12 * n_pairs**2)
    return NormalDist(mean, sqrt(variance)).inv_cdf(0.99)
