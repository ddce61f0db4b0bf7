"""Features: one function each, registered by name, over series of simulations and recordings alike."""

from vbiflow.features.batch import Batch
from vbiflow.features.connectivity import fc
from vbiflow.features.dynamics import fcd
from vbiflow.features.extraction import Features, compute
from vbiflow.features.feature import Feature, Option, feature, per
from vbiflow.features.files import compute_file, gather, observed, observed_spectra
from vbiflow.features.nodes import Nodes
from vbiflow.features.registry import FEATURES, SETS, expanded, read_specs, schema, table

__all__ = [
    "FEATURES",
    "SETS",
    "Batch",
    "Feature",
    "Features",
    "Nodes",
    "Option",
    "compute",
    "compute_file",
    "expanded",
    "fc",
    "fcd",
    "feature",
    "gather",
    "observed",
    "observed_spectra",
    "per",
    "read_specs",
    "schema",
    "table",
]
