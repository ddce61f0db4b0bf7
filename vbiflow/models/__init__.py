"""The models by name: one file each, equations written once."""

from vbiflow.models import kuramoto, linear, montbrio, wong_wang
from vbiflow.models.model import Model, Parameter, State

MODELS: dict[str, Model] = {module.MODEL.name: module.MODEL for module in (wong_wang, linear, montbrio, kuramoto)}

__all__ = ["MODELS", "Model", "Parameter", "State"]
