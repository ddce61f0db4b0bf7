"""From neurons to what a scanner or sensor records: observation models by the name of the series that they give."""

from vbiflow.observation import balloon
from vbiflow.observation.model import ObservationModel

OBSERVATION_MODELS: dict[str, ObservationModel] = {"bold": balloon.OBSERVATION}

__all__ = ["OBSERVATION_MODELS", "ObservationModel"]
