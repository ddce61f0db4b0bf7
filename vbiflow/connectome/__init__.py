"""Structural connectomes: readers, normalisation, quality checks, delays."""

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.maps import with_maps
from vbiflow.connectome.normalise import NORMALISATIONS, normalise
from vbiflow.connectome.parcellation import Parcellation, read_parcellation
from vbiflow.connectome.prepare import prepare_connectome
from vbiflow.connectome.quality import CHECKS, inspect
from vbiflow.connectome.read import read_connectome
from vbiflow.connectome.region_tables import read_regions
from vbiflow.connectome.regions import Regions, match_labels

__all__ = [
    "CHECKS",
    "NORMALISATIONS",
    "Connectome",
    "Finding",
    "Parcellation",
    "Regions",
    "inspect",
    "match_labels",
    "normalise",
    "prepare_connectome",
    "read_connectome",
    "read_parcellation",
    "read_regions",
    "with_maps",
]
