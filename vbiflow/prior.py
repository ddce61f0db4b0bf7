"""The prior of a study: independent marginals over the inferred parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy

from vbiflow.maps import LINKS, region_values, regression
from vbiflow.marginals import RANDOM, SPREAD, Marginal, read_fixed, read_limits, read_link, read_prior, read_random
from vbiflow.reading import suggest
from vbiflow.streams import random_generator

EDGE = np.finfo(float).eps
NEVER_NEGATIVE = ("sigma", "noise")
EXTREMES = {"strongest", "weakest"}
"""Rules of a truth that name regions by the sum of their weights."""


class Prior:
    """Product of independent marginals over theta (n_simulations, n_parameters).

    Through the probability integral transform every parameter becomes standard normal, z = Phi^-1(F(theta)): estimators
    work on z, so that no posterior mass can lie outside the prior. `units` are those of the columns of theta, that of
    the parameter for a coefficient of a regression on maps, a pure number for one of its logarithm. `fixed` are
    coefficients that are not inferred, by parameter and name; `spreads` standard deviations of random regional effects
    that are not.
    """

    def __init__(
        self,
        marginals: Sequence[Marginal],
        labels: Sequence[str] = (),
        maps: Mapping[str, Any] | None = None,
        limits: Mapping[str, tuple[float, float]] | None = None,
        units: Mapping[str, str] | None = None,
        links: Mapping[str, str] | None = None,
        fixed: Mapping[str, Mapping[str, float]] | None = None,
        spreads: Mapping[str, float] | None = None,
    ) -> None:
        if not marginals:
            raise ValueError("the prior names no parameter; infer at least one")
        self.marginals = tuple(marginals)
        self.labels = tuple(labels)
        self.maps = {name: np.asarray(values, float) for name, values in (maps or {}).items()}
        self.limits = dict(limits or {})
        self.links = dict(links or {})
        self.fixed = {name: dict(terms) for name, terms in (fixed or {}).items() if terms}
        self.spreads = {name: sd for name, sd in (spreads or {}).items() if sd}
        self.columns: list[tuple[str, Marginal]] = []
        for marginal in self.marginals:
            if marginal.per == "node" and not self.labels:
                raise ValueError(f"prior of {marginal.name}: per: node needs the labels of the nodes")
            for coefficient in (marginal.coefficient, *self.fixed.get(marginal.parameter, ())):
                if coefficient and coefficient != SPREAD:
                    region_values(coefficient, self.maps, f"prior of {marginal.parameter}")
            suffixes = [f"[{label}]" for label in self.labels] if marginal.per == "node" else [""]
            self.columns += [(marginal.name + suffix, marginal) for suffix in suffixes]
        self.names = tuple(name for name, _ in self.columns)
        self.units = tuple(
            "1" if marginal.parameter in self.links else (units or {}).get(marginal.parameter, "1")
            for _, marginal in self.columns
        )

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        labels: Sequence[str] = (),
        maps: Mapping[str, Any] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> Prior:
        """Build the prior from a study's `prior` block and the connectome's node labels and regional maps (n_nodes,).

        `units` are those of parameters by name, pure numbers where none is given.

        Raises
        ------
        ValueError
            If a family or map is unknown, or if numbers are wrong in count, order or sign.
        """
        marginals = read_prior(config)
        limits = {name: read_limits(name, entry) for name, entry in config.items()}
        links = {name: read_link(name, entry) for name, entry in config.items()}
        links = {name: link for name, link in links.items() if link != "identity"}
        limits = {name: limit for name, limit in limits.items() if limit}
        fixed = {name: read_fixed(name, entry) for name, entry in config.items()}
        spreads = {name: read_random(name, entry) for name, entry in config.items()}
        spreads = {name: sd for name, sd in spreads.items() if not isinstance(sd, Marginal)}
        return cls(marginals, labels, maps, limits, units, links, fixed, spreads)

    def to_config(self) -> dict[str, Any]:
        """Plain data that `from_plain` turns back into this prior."""
        entries: dict[str, Any] = {}
        for m in self.marginals:
            if m.coefficient == SPREAD:
                entries.setdefault(m.parameter, {"map": {}})[RANDOM] = {"sd": m.to_config()}
            elif m.coefficient:
                entries.setdefault(m.parameter, {"map": {}})["map"][m.coefficient] = m.to_config()
            else:
                entries[m.parameter] = m.to_config()
        for name, terms in self.fixed.items():
            entries[name]["map"] |= terms
        for name, sd in self.spreads.items():
            entries[name][RANDOM] = {"sd": sd}
        for name, limits in self.limits.items():
            entries[name]["within"] = list(limits)
        for name, link in self.links.items():
            entries[name]["link"] = link
        used = {m.coefficient for m in self.marginals}.union(*self.fixed.values()) & self.maps.keys()
        maps = {name: values.tolist() for name, values in self.maps.items() if name in used}
        units = {m.parameter: unit for (_, m), unit in zip(self.columns, self.units, strict=True)}
        return {"prior": entries, "labels": list(self.labels), "units": units} | ({"maps": maps} if maps else {})

    @classmethod
    def from_plain(cls, content: Mapping[str, Any], names: Sequence[str] | None = None) -> Prior:
        """Inverse of `to_config`; `names` are those of the columns of a theta that it is read for.

        Raises
        ------
        ValueError
            If the prior's parameters are not `names` in that order.
        """
        prior = cls.from_config(content["prior"], content["labels"], content.get("maps"), content["units"])
        if names is not None and tuple(names) != prior.names:
            raise ValueError(
                f"the prior's parameters {prior._listed()} are not the columns {', '.join(names[:6])} of theta"
            )
        return prior

    def theta(self, values: Mapping[str, Any], weights: np.ndarray | None = None) -> np.ndarray:
        """The vector (1, n_parameters) of given values, such as the truth of a simulated recording.

        A value is a number, a list of one number a node, ``{uniform: [low, high], seed: integer}`` for one drawn for
        each node, or ``{value: number, at: {label: number}, strongest: {regions: integer, value: number}}``, weakest as
        strongest. The strength of a node is the sum of its `weights` (n_nodes, n_nodes), in and out.

        Raises
        ------
        ValueError
            If a parameter is missing or not inferred, a label unknown, or a value outside the prior.
        """
        check_truth(values, self.marginals)
        parts = [
            broadcast_value(m.name, values[m.name], self.labels if m.per == "node" else ("",), weights)
            for m in self.marginals
        ]
        theta = np.concatenate(parts)[None]
        outside = np.flatnonzero(~np.isfinite(self.log_prob_each(theta))[0])
        if outside.size:
            k = outside[0]
            raise ValueError(f"{self.names[k]} is {theta[0, k]:g}, which its prior cannot give; widen the prior")
        return theta

    def sample(self, seed: int, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` of the study's theta, (stop - start, n_parameters).

        Row k depends on the seed and k alone: a larger study keeps the rows of a smaller one.
        """
        blocks = -(-len(self.names) // 4)  # Philox4x64 gives four numbers a step
        bits = np.random.Philox(np.random.SeedSequence([seed, 0x7072696F]))
        uniforms = np.random.Generator(bits.advance(start * blocks)).random((stop - start, 4 * blocks))
        return self.ppf(uniforms[:, : len(self.names)])

    def cdf(self, theta: np.ndarray) -> np.ndarray:
        """F(theta), each column in [0, 1]."""
        return self._columnwise(theta, lambda marginal, column: marginal.distribution.cdf(column))

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """theta with F(theta) = u."""
        return self._columnwise(u, Marginal.ppf)

    def to_normal(self, theta: np.ndarray) -> np.ndarray:
        """z = Phi^-1(F(theta)), finite also at the bounds."""
        return scipy.special.ndtri(np.clip(self.cdf(theta), EDGE, 1 - EDGE))

    def from_normal(self, z: np.ndarray) -> np.ndarray:
        """theta = F^-1(Phi(z)), always inside the prior's support."""
        return self.ppf(scipy.special.ndtr(np.asarray(z, float)))

    def log_prob(self, theta: np.ndarray) -> np.ndarray:
        """Log density (n,); -inf outside the support."""
        return self.log_prob_each(theta).sum(axis=-1)

    def log_prob_each(self, theta: np.ndarray) -> np.ndarray:
        """Log density of each parameter (n, n_parameters)."""
        return self._columnwise(theta, lambda marginal, column: marginal.distribution.logpdf(column))

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of every parameter's support (n_parameters,), infinite where it has none."""
        lower, upper = zip(*(marginal.distribution.support() for _, marginal in self.columns), strict=True)
        return np.array(lower, float), np.array(upper, float)

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of every parameter (n_parameters,)."""
        return np.array([marginal.distribution.std() for _, marginal in self.columns])

    def parameters(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Split theta into what the engine takes: (n, 1) for a scalar, (n, n_nodes) for one value a node or a
        regression on maps, clipped to its range.
        """
        return {name: values.clip(*self.range(name)) for name, values in self._split(theta).items()}

    def random_effects(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Standard deviations (n, 1) of the random regional effects of parameters that have them, by name."""
        theta = self._checked(theta)
        inferred = {
            marginal.parameter: theta[:, [k]]
            for k, (_, marginal) in enumerate(self.columns)
            if marginal.coefficient == SPREAD
        }
        return {name: np.full((len(theta), 1), sd) for name, sd in self.spreads.items()} | inferred

    def reasons(self, theta: np.ndarray) -> list[str]:
        """Why a row of theta is not allowed, a regression outside its range; an empty text where it is."""
        reasons = [""] * len(theta)
        for name, values in self._split(theta).items():
            low, high = self.range(name)
            for k, count in enumerate(((values < low) | (values > high)).sum(1)):
                if count and not reasons[k]:
                    reasons[k] = f"{name} is outside [{low:g}, {high:g}] in {count} nodes"
        return reasons

    def range(self, parameter: str) -> tuple[float, float]:
        """The range that a regression may not leave: its `within`; sigma and noise are never negative."""
        return self.limits.get(parameter, (0.0 if parameter in NEVER_NEGATIVE else -np.inf, np.inf))

    def _split(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        theta, values = self._checked(theta), {}
        owners = np.array([marginal.parameter for _, marginal in self.columns])
        for name in dict.fromkeys(owners):
            own = [m.coefficient for m in self.marginals if m.parameter == name]
            terms = [coefficient for coefficient in own if coefficient != SPREAD]
            columns = theta[:, owners == name]
            columns = columns[:, : columns.shape[1] - (SPREAD in own)]
            values[str(name)] = columns
            if not terms or terms[0]:
                terms = dict(zip(terms, columns.T, strict=True)) | self.fixed.get(str(name), {})
                inverse = LINKS[self.links.get(str(name), "identity")]
                values[str(name)] = inverse(regression(terms, self.maps, f"prior of {name}"))
        return values

    def _checked(self, array: np.ndarray) -> np.ndarray:
        array = np.asarray(array, float)
        if array.shape[-1:] != (len(self.names),):
            raise ValueError(
                f"theta has shape {array.shape}; its last axis must hold the "
                f"{len(self.names)} parameters {self._listed()}"
            )
        return array

    def _listed(self) -> str:
        return ", ".join(self.names[:6]) + (", ..." if len(self.names) > 6 else "")

    def _columnwise(self, array: np.ndarray, function: Callable[[Marginal, np.ndarray], np.ndarray]) -> np.ndarray:
        array = self._checked(array)
        out = np.empty_like(array)
        position = 0
        for marginal in self.marginals:
            width = len(self.labels) if marginal.per == "node" else 1
            part = slice(position, position + width)
            out[..., part] = function(marginal, array[..., part])
            position += width
        return out


def check_names(values: Mapping[str, Any], parameters: Sequence[str]) -> None:
    """Refuse values of other parameters than the inferred ones."""
    for name in values:
        if name not in parameters:
            raise ValueError(f"{name} is not inferred; choose from {', '.join(parameters)}")
    missing = [name for name in parameters if name not in values]
    if missing:
        raise ValueError(f"no value of {', '.join(missing)}; give one of each inferred parameter")


def check_truth(values: Mapping[str, Any], marginals: Sequence[Marginal]) -> None:
    """Refuse what is wrong on any connectome: names, forms, and numbers that the prior cannot give.

    Raises
    ------
    ValueError
        In one line, with the parameter.
    """
    check_names(values, [marginal.name for marginal in marginals])
    for marginal in marginals:
        low, high = marginal.support
        for number in stated_numbers(marginal, values[marginal.name]):
            if not low <= number <= high:
                raise ValueError(f"{marginal.name} is {number:g}, which its prior cannot give; widen the prior")


def stated_numbers(marginal: Marginal, value: Any) -> Sequence[float]:
    """The numbers in one parameter's truth, as `Prior.theta` reads it."""
    name = marginal.name
    if not isinstance(value, Mapping):
        numbers = np.ravel(np.asarray(value, float))
        if marginal.per is None and numbers.size != 1:
            raise ValueError(f"{name}: {numbers.size} values, it is one number for the whole network; give one")
        return numbers
    if value.keys() == {"uniform", "seed"}:
        low, high = value["uniform"]
        if low > high:
            raise ValueError(f"{name}: uniform: low {low:g} is above high {high:g}; write [low, high]")
        return low, high
    if not value.keys() <= {"value", "at", *EXTREMES} or "value" not in value:
        form = "{value: number, at: {region: number}, strongest: {regions: integer, value: number}}, weakest alike"
        raise ValueError(f"{name}: found {dict(value)}; write {form}, or {{uniform: [low, high], seed: integer}}")
    if marginal.per is None and len(value) > 1:
        raise ValueError(f"{name}: found {dict(value)}, it is one number for the whole network; give one")
    extremes = [value[key]["value"] for key in EXTREMES & value.keys()]
    return [value["value"], *(value.get("at") or {}).values(), *extremes]


def broadcast_value(parameter: str, value: Any, labels: Sequence[str], weights: np.ndarray | None = None) -> np.ndarray:
    """One value a label: of a number, of a list, or by a rule, as `Prior.theta` reads them."""
    if isinstance(value, Mapping) and "uniform" in value:
        return random_generator(value["seed"]).uniform(*value["uniform"], len(labels))
    if isinstance(value, Mapping):
        out, named = np.full(len(labels), float(value["value"])), EXTREMES & value.keys()
        if len(named) == 2 and sum(value[key]["regions"] for key in named) > len(labels):
            raise ValueError(f"{parameter}: strongest and weakest regions are more than all {len(labels)}; name fewer")
        for key in named:
            out[extreme_nodes(parameter, key, value[key]["regions"], weights)] = float(value[key]["value"])
        for label, number in (value.get("at") or {}).items():
            if label not in labels:
                hint = suggest(label, labels)
                raise ValueError(f"{parameter}: no region {label!r}; choose from {', '.join(labels)}{hint}")
            out[list(labels).index(label)] = float(number)
        return out
    numbers = np.atleast_1d(np.asarray(value, float))
    if numbers.size not in (1, len(labels)):
        rule = "give one, or one a node, or for any connectome {uniform: [low, high], seed: integer}"
        raise ValueError(f"{parameter}: {numbers.size} values for {len(labels)} nodes; {rule}")
    return np.broadcast_to(numbers, (len(labels),)).copy()


def extreme_nodes(parameter: str, key: str, count: int, weights: np.ndarray | None) -> np.ndarray:
    """Indices of the `count` nodes whose weights sum up to most (`key` "strongest") or to least."""
    if weights is None or not 0 < count <= len(weights):
        known = 0 if weights is None else len(weights)
        raise ValueError(f"{parameter}: {key}: {count} regions of {known} with weights; name fewer")
    order = np.argsort(weights.sum(axis=0) + weights.sum(axis=1), kind="stable")
    return order[-count:] if key == "strongest" else order[:count]
