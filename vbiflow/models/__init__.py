"""The models by name: one file each, equations written once."""

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
    wilson_cowan,
    wong_wang,
    wong_wang_ei,
)
from vbiflow.models.model import Derived, Model, Parameter, Solution, State

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
        kuramoto,
        epileptor_2d,
        epileptor,
        damped_oscillator,
        linear,
    )
}

__all__ = ["MODELS", "Derived", "Model", "Parameter", "Solution", "State"]
