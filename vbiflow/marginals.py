"""Marginals of a prior: families of distributions, and how a study writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy

from vbiflow.maps import CONSTANT, LINKS

FAMILIES: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "uniform": (("low", "high"), lambda low, high: scipy.stats.uniform(low, high - low)),
    "loguniform": (("low", "high"), lambda low, high: scipy.stats.loguniform(low, high)),
    "normal": (("mean", "sd"), lambda mean, sd: scipy.stats.norm(mean, sd)),
    "lognormal": (("log_mean", "log_sd"), lambda mean, sd: scipy.stats.lognorm(sd, scale=np.exp(mean))),
    "truncated_normal": (
        ("mean", "sd", "low", "high"),
        lambda mean, sd, low, high: scipy.stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd),
    ),
    "beta": (
        ("a", "b", "low", "high"),
        lambda a, b, low, high: scipy.stats.beta(a, b, low, high - low),
    ),
}
EXTENTS = ("node",)
RANDOM = "random"
"""Key of a parameter's random regional effects."""
SPREAD = "random.sd"
"""Name of the coefficient that is their standard deviation; no map has it."""
DISCREPANCY = "discrepancy"
"""Name of the parameter that says by how much features may be missed (see features/discrepancy.py)."""


@dataclass(frozen=True)
class Marginal:
    """One inferred parameter: a scalar, one value a node (`per` = "node"), or the coefficient of a regional map.

    A parameter with coefficients is their sum over maps, w_i = w.constant + w.myelin myelin_i + ...
    """

    parameter: str
    family: str
    values: tuple[float, ...]
    per: str | None = None
    coefficient: str | None = None

    @classmethod
    def from_config(cls, parameter: str, entry: Any, coefficient: str | None = None) -> Marginal:
        """Read ``{family: [numbers], per: node}``."""
        name = stem(parameter, coefficient)
        form = f"write it as {coefficient or parameter}: {{uniform: [low, high]}} with a family out of "
        form += ", ".join(FAMILIES)
        if not isinstance(entry, Mapping):
            raise ValueError(f"prior of {name}: found {entry!r}; {form}")
        families = [key for key in entry if key not in ("per", RANDOM, "within")]
        if len(families) != 1 or families[0] not in FAMILIES:
            raise ValueError(f"prior of {name}: unknown family {', '.join(map(repr, families))}; {form}")
        family, numbers = families[0], entry[families[0]]
        names = FAMILIES[family][0]
        if not isinstance(numbers, Sequence) or len(numbers) != len(names):
            raise ValueError(f"prior of {name}: {family} takes [{', '.join(names)}], found {numbers!r}")
        per = entry.get("per")
        extents = EXTENTS if coefficient is None else ()
        if per not in (None, *extents):
            raise ValueError(
                f"prior of {name}: per: {per!r} is unknown; choose from {', '.join(extents) or 'none'} or leave it out"
            )
        marginal = cls(parameter, family, tuple(float(number) for number in numbers), per, coefficient)
        marginal.check()
        return marginal

    def check(self) -> None:
        """Refuse bounds out of order and scales that are not positive."""
        given = self.numbers
        if not np.isfinite(self.values).all():
            raise ValueError(f"prior of {self.name}: {self.family} has a value that is not finite: {self.values}")
        if "low" in given and given["low"] >= given["high"]:
            order = "; swap them" if given["low"] > given["high"] else ""
            raise ValueError(f"prior of {self.name}: low {given['low']:g} must be below high {given['high']:g}{order}")
        if self.family == "loguniform" and given["low"] <= 0:
            raise ValueError(f"prior of {self.name}: low of loguniform must be above 0, found {given['low']:g}")
        for name in ("sd", "log_sd", "a", "b"):
            if given.get(name, 1.0) <= 0:
                raise ValueError(f"prior of {self.name}: {name} must be positive, found {given[name]:g}")

    @property
    def name(self) -> str:
        """Parameter, and map if it is a coefficient: ``G``, ``w.myelin``."""
        return stem(self.parameter, self.coefficient)

    @property
    def numbers(self) -> dict[str, float]:
        """What the family takes, by name."""
        return dict(zip(FAMILIES[self.family][0], self.values, strict=True))

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value, infinite where there is none; without SciPy, which takes a second to load."""
        given = self.numbers
        return given.get("low", 0.0 if self.family == "lognormal" else -np.inf), given.get("high", np.inf)

    @cached_property
    def distribution(self) -> Any:
        """The frozen SciPy distribution."""
        return FAMILIES[self.family][1](*self.values)

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Values whose cumulative probability is u; of a uniform one without SciPy's checks, ten times as fast."""
        if self.family == "uniform":
            low, high = self.values
            return np.where((u >= 0) & (u <= 1), u * (high - low) + low, np.nan)
        return self.distribution.ppf(u)

    def to_config(self) -> dict[str, Any]:
        """The entry that `from_config` reads."""
        return {self.family: list(self.values)} | ({"per": self.per} if self.per else {})


def stem(parameter: str, coefficient: str | None) -> str:
    """Name of a parameter, or of its coefficient of a map."""
    return f"{parameter}.{coefficient}" if coefficient else parameter


def read_marginals(parameter: str, entry: Any) -> list[Marginal]:
    """Marginals of one entry of a study's `prior`: ``{family: [numbers]}``, or coefficients of regional maps.

    The latter is written ``{map: {constant: {family: [numbers]}, <map>: {family: [numbers]}}, within: [low, high]}``;
    with ``link: log`` the sum is the parameter's logarithm. A coefficient that is a number is fixed (`read_fixed`).
    Either may have random regional effects beside it, ``random: {sd: {family: [numbers]}}`` or a number.

    Raises
    ------
    ValueError
        If the entry is neither.
    """
    read_limits(parameter, entry)
    read_link(parameter, entry)
    spread = read_random(parameter, entry)
    spreads = [spread] if isinstance(spread, Marginal) else []
    if not isinstance(entry, Mapping) or "map" not in entry:
        return [Marginal.from_config(parameter, entry), *spreads]
    terms, form = (
        entry["map"],
        f"{{map: {{{CONSTANT}: {{uniform: [low, high]}}, <map>: {{...}}}}, within: [low, high], link: log}}",
    )
    unknown = [key for key in entry if key not in ("map", "within", "link", RANDOM)]
    if unknown or not isinstance(terms, Mapping) or not terms:
        raise ValueError(f"prior of {parameter}: found {dict(entry)!r}; write it as {parameter}: {form}")
    fixed = read_fixed(parameter, entry)
    if fixed.keys() == terms.keys() and not spreads:
        raise ValueError(f"prior of {parameter}: all its coefficients are numbers; move it to parameters")
    own = [Marginal.from_config(parameter, term, str(name)) for name, term in terms.items() if name not in fixed]
    return [*own, *spreads]


def read_prior(prior: Mapping[str, Any]) -> list[Marginal]:
    """Marginals of all inferred parameters of a study's `prior`, in its order (`read_marginals`)."""
    return [marginal for name, entry in prior.items() for marginal in read_marginals(name, entry)]


def read_random(parameter: str, entry: Any) -> Marginal | float:
    """Standard deviation of the random regional effects of an entry: a number, 0 without, or its prior.

    Raises
    ------
    ValueError
        If it is not ``random: {sd: ...}``, or if it can be negative.
    """
    if not isinstance(entry, Mapping) or RANDOM not in entry:
        return 0.0
    given, form = entry[RANDOM], f"write {parameter}: {{..., {RANDOM}: {{sd: {{uniform: [0, high]}}}}}}, or sd: number"
    if not isinstance(given, Mapping) or set(given) != {"sd"} or "per" in entry:
        raise ValueError(f"prior of {parameter}: {RANDOM} is {given!r}{' beside per' * ('per' in entry)}; {form}")
    sd = given["sd"]
    lowest = sd
    if not isinstance(sd, int | float):
        sd = Marginal.from_config(parameter, sd, SPREAD)
        lowest = sd.distribution.support()[0]
    if not np.isfinite(lowest) or lowest < 0:
        raise ValueError(f"prior of {parameter}: sd of {RANDOM} reaches down to {lowest:g}; it is at least 0")
    return sd if isinstance(sd, Marginal) else float(sd)


def read_fixed(parameter: str, entry: Any) -> dict[str, float]:
    """Coefficients of a regression in the prior that are numbers, by name."""
    terms = entry.get("map") if isinstance(entry, Mapping) else None
    found = {name: term for name, term in (terms or {}).items() if isinstance(term, int | float)}
    for name, term in found.items():
        if not np.isfinite(term):
            raise ValueError(f"prior of {stem(parameter, str(name))}: {term} is not finite")
    return {str(name): float(term) for name, term in found.items()}


def read_limits(parameter: str, entry: Any) -> tuple[float, float] | None:
    """The range `within` which every node's value must lie, if the entry has one."""
    if not isinstance(entry, Mapping) or "within" not in entry:
        return None
    within = entry["within"]
    good = isinstance(within, Sequence) and len(within) == 2 and all(isinstance(x, int | float) for x in within)
    if not good or not within[0] < within[1]:
        raise ValueError(f"prior of {parameter}: within is {within!r}; give [low, high], low below high")
    return float(within[0]), float(within[1])


def read_link(parameter: str, entry: Any) -> str:
    """The function of the parameter that the regression gives: identity, unless the entry says ``link: log``."""
    link = entry.get("link", "identity") if isinstance(entry, Mapping) else "identity"
    if link not in LINKS:
        raise ValueError(f"prior of {parameter}: link is {link!r}; choose from {', '.join(LINKS)}")
    return link
