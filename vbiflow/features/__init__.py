"""Features: one function each, registered by name, over series of simulations and recordings alike."""

from vbiflow.features.batch import Batch
from vbiflow.features.connectivity import fc
from vbiflow.features.dynamics import fcd
from vbiflow.features.extraction import Features, compute
from vbiflow.features.feature import Feature, Option, feature, per
from vbiflow.features.files import compute_file, compute_observed, gather_shards
from vbiflow.features.nodes import Nodes
from vbiflow.features.registry import FEATURES, SETS, expand_sets, features_schema, features_table, read_specs
from vbiflow.features.spectra import compute_observed_spectra

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
    "compute_observed",
    "compute_observed_spectra",
    "expand_sets",
    "fc",
    "fcd",
    "feature",
    "features_schema",
    "features_table",
    "gather_shards",
    "per",
    "read_specs",
]
