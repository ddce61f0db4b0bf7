"""A feature: a function over a batch of series, with the options that a study may set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from vbiflow.features.batch import Batch
from vbiflow.features.contract import check_definition
from vbiflow.features.nodes import PER

Pieces = Iterator[tuple[list[str], Any]]
"""Names, and their values as an array (n_simulations, n_names) or a list of such arrays side by side."""

NUMBER = {"type": "number"}
KINDS: dict[str, dict[str, Any]] = {
    "number": NUMBER,
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "text": {"type": "string"},
    "numbers": {"type": "array", "items": NUMBER},
    "integers": {"type": "array", "items": {"type": "integer"}},
    "texts": {"type": "array", "items": {"type": "string"}},
    "band": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
    "bands": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
    },
}


@dataclass(frozen=True)
class Option:
    """An option of a feature: its default, what kind of value it takes, what it means and in which unit."""

    default: Any
    kind: str
    meaning: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None

    def schema(self) -> dict[str, Any]:
        """JSON schema of the option."""
        schema = dict(KINDS[self.kind])
        if self.choices:
            choice = {"enum": list(self.choices)}
            schema = {"anyOf": [choice, {**schema, "items": choice}]} if self.kind == "texts" else choice
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        if self.default is None:
            schema = {"anyOf": [schema, {"type": "null"}]}
        text = f"{self.meaning} [{self.unit}]" if self.unit else self.meaning
        return {**schema, "default": self.default, "description": text}

    def read(self, value: Any) -> Any:
        """`value` in a form that never changes (tuples for lists), or ValueError saying what is allowed."""
        if value is None and self.default is None:
            return None
        if self.kind == "bands":
            return self._bands(value)
        if self.kind.endswith("s") or self.kind == "band":
            return self._list(value)
        allowed = {"number": Real, "integer": Integral, "boolean": bool, "text": str}[self.kind]
        if not isinstance(value, allowed) or (isinstance(value, bool) and self.kind != "boolean"):
            raise ValueError(f"{value!r} is not {'an' if self.kind == 'integer' else 'a'} {self.kind}")
        if self.choices and value not in self.choices:
            raise ValueError(f"unknown value {value!r}; choose from {', '.join(self.choices)}")
        if self.minimum is not None and value < self.minimum:
            raise ValueError(f"{value!r} is below {self.minimum:g}")
        return value

    def _list(self, value: Any) -> tuple[Any, ...]:
        item = "number" if self.kind == "band" else self.kind[:-1]
        values = (value,) if isinstance(value, str | Real) else value
        if not isinstance(values, Sequence) or not values:
            raise ValueError(f"{value!r} is not a list of {item}s")
        read = tuple(Option("", item, "", "", self.choices, self.minimum).read(entry) for entry in values)
        if self.kind == "band" and not (len(read) == 2 and 0 <= read[0] < read[1]):
            raise ValueError(f"{value!r} is not [low, high] in Hz with 0 <= low < high")
        return read

    def _bands(self, value: Any) -> tuple[tuple[str, tuple[float, float]], ...]:
        if isinstance(value, tuple):
            value = dict(value)
        if not isinstance(value, Mapping) or not value:
            raise ValueError(f"{value!r} is not a table of bands such as {{alpha: [8, 12]}}")
        return tuple((str(name), Option((), "band", "").read(edges)) for name, edges in value.items())


def per(default: str = "mean") -> Option:
    """The option `per`: one value a node, a network, or over all nodes."""
    return Option(
        (default,),
        "texts",
        "a value for each node or network, contrasts of two networks, or mean and sd over nodes",
        choices=PER,
    )


@dataclass(frozen=True)
class Feature:
    """A registered feature. `function(batch, **options)` yields names and values together."""

    name: str
    function: Callable[..., Pieces]
    unit: str
    options: Mapping[str, Option] = field(default_factory=dict)
    reference: str = ""
    signals: str = "any"

    @property
    def domain(self) -> str:
        """Name of the module that the feature lives in."""
        return self.function.__module__.rsplit(".", 1)[-1]

    @property
    def summary(self) -> str:
        """First sentence of the docstring."""
        return " ".join((self.function.__doc__ or "").strip().split("\n\n")[0].split())

    def unit_of(self, name: str, signal: str) -> str:
        """Unit of the value `name`, without the feature's own name, of series in the unit `signal`.

        `unit` is one for all values, or units with the values that have them, as in ``s (dwell), Hz (switching), 1``;
        in it y stands for the series.
        """
        table = {
            value.strip(): unit.strip()
            for unit, values in re.findall(r"([^(),]+)(?:\(([^)]*)\))?(?:,|$)", self.unit)
            for value in (values or "").split(",")
        }
        own = re.match(r"\w*", name)[0]
        unit = table.get(own) or table.get("") or "1"
        if "order" in unit:
            unit = unit.replace("order", name.strip("[").partition("]")[0])
        return of_signal(unit, signal)

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All options, `given` ones checked, the others at their defaults.

        Raises
        ------
        ValueError
            If an option is unknown or its value is not allowed.
        """
        for name in given:
            if name not in self.options:
                allowed = f"choose from {', '.join(self.options)}" if self.options else "it has none"
                raise ValueError(f"feature {self.name}: unknown option {name!r}; {allowed}")
        values = {}
        for name, option in self.options.items():
            try:
                values[name] = option.read(given.get(name, option.default))
            except ValueError as error:
                raise ValueError(f"feature {self.name}, option {name}: {error}") from None
        return values

    def __call__(self, batch: Batch, **options: Any) -> Pieces:
        return self.function(batch, **self.read(options))


def of_signal(unit: str, signal: str) -> str:
    """`unit` with the unit `signal` in place of y: of V, y^2/Hz is V^2/Hz; of pure numbers it is 1/Hz."""
    if signal != "1":
        return re.sub(r"\by\b", signal if re.fullmatch(r"[\w.]+", signal) else f"({signal})", unit)
    head, separator, rest = unit.partition("/")
    kept = [word for word in head.split() if not re.fullmatch(r"y(\^\w+)?", word)]
    return (" ".join(kept) if kept and kept[-1] not in ("log10",) else " ".join([*kept, "1"])) + separator + rest


def feature(
    name: str, *, unit: str = "1", reference: str = "", signals: str = "any", **options: Option
) -> Callable[[Callable[..., Pieces]], Feature]:
    """Decorate `function(batch, **options)`, a generator of (names, values), as the feature `name`.

    Raises
    ------
    ValueError
        If name, unit, options or signature do not keep the contract (contract.py), in one line.
    """

    def decorate(function: Callable[..., Pieces]) -> Feature:
        check_definition(name, function, unit, options)
        return Feature(name, function, unit, options, reference, signals)

    return decorate
