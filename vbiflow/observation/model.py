"""What an observation model is: a slow model that follows a signal of every node, such as haemodynamics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vbiflow.models.model import Model


@dataclass(frozen=True)
class ObservationModel:
    """An observation model: equations by the contract of any other model, with one input and one output.

    Attributes
    ----------
    model : its one input `c` is the mean, over a step, of a signal of the neurons; its one signal is what is recorded.
    input : name of that signal of the neural mass model.
    sets : named sets of parameters.
    default : the set that holds where none is named.
    longest_step : longest step of Heun's scheme [ms].

    Raises
    ------
    ValueError
        If the model has not one input and one signal, or a set names another parameter.
    """

    model: Model
    input: str
    sets: Mapping[str, Mapping[str, float]]
    default: str
    longest_step: float

    def __post_init__(self) -> None:
        model = self.model
        for what, names in (("input", model.sends), ("signal", tuple(model.signals))):
            if len(names) != 1:
                raise ValueError(f"observation model {model.name}: it has the {what}s {', '.join(names)}; give one")
        if model.noisy:
            raise ValueError(f"observation model {model.name}: a state has noise; the neurons have, it follows them")
        for name, values in self.sets.items():
            unknown = sorted(values.keys() - model.parameters.keys())
            if unknown:
                raise ValueError(f"observation model {model.name}: set {name} holds {unknown[0]!r}, no parameter of it")
        if self.default not in self.sets:
            raise ValueError(f"observation model {model.name}: default {self.default!r} is none of {[*self.sets]}")

    @property
    def signal(self) -> str:
        """Name of what is recorded."""
        return next(iter(self.model.signals))
