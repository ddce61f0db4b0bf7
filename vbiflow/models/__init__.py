"""The models by name: one file each, equations written once."""

from pathlib import Path

from vbiflow.models import (
    damped_oscillator,
    epileptor,
    epileptor_2d,
    hopf,
    jansen_rit,
    kuramoto,
    linear,
    montbrio,
    stuart_landau,
    two_oscillators,
    wilson_cowan,
    wong_wang,
    wong_wang_ei,
)
from vbiflow.models.model import Derived, Model, Parameter, Solution, State
from vbiflow.models.own import load_model, own_models
from vbiflow.reading import suggest

MODELS: dict[str, Model] = {
    module.MODEL.name: module.MODEL
    for module in (
        wong_wang,
        wong_wang_ei,
        montbrio,
        jansen_rit,
        wilson_cowan,
        stuart_landau,
        hopf,
        two_oscillators,
        kuramoto,
        epileptor_2d,
        epileptor,
        damped_oscillator,
        linear,
    )
}


def known_models() -> list[str]:
    """Names of the models that ship, and of the user's own."""
    return list(dict.fromkeys([*MODELS, *own_models()]))


def own_model(name: str) -> Path | None:
    """The file of a model of the user's own; None for those that ship."""
    return own_models().get(name)


def find_model(name: str) -> Model:
    """The model of that name: one that ships, or config/models/<name>.py.

    Raises
    ------
    ValueError
        If there is none or there are two, or if the file is no model's.
    """
    path = own_model(name) if isinstance(name, str) else None
    if path and name in MODELS:
        raise ValueError(f"{path}: a model that ships is called {name!r}, too; rename yours, file and model")
    if path:
        return load_model(path)
    if name not in MODELS:
        known = known_models()
        raise ValueError(
            f"unknown model {name!r}; choose from {', '.join(known)}, or write config/models/{name}.py"
            f"{suggest(name, known)}"
        )
    return MODELS[name]


__all__ = ["MODELS", "Derived", "Model", "Parameter", "Solution", "State", "find_model", "known_models", "own_model"]
