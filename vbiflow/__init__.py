"""Virtual Brain Inference as a reproducible Snakemake workflow.

The names of `__all__` are what a script or notebook needs; each is imported when it is first used, so that
``import vbiflow`` itself takes no time.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
HOMES = {
    "MODELS": "vbiflow.models",
    "Posterior": "vbiflow.inference.posterior",
    "Prior": "vbiflow.prior",
    "TrainingSet": "vbiflow.inference.training_set",
    "read_connectome": "vbiflow.connectome",
    "simulate": "vbiflow.engine",
    "train": "vbiflow.inference.training",
}
"""Where each name that the library offers is defined."""
PACKAGES = ("features",)
"""Packages that are offered whole."""
__all__ = ["MODELS", "Posterior", "Prior", "TrainingSet", "features", "read_connectome", "simulate", "train"]


def __getattr__(name: str) -> Any:
    """A function, class or package of `__all__`, imported now."""
    if name in PACKAGES:
        return import_module(f"vbiflow.{name}")
    if name not in HOMES:
        raise AttributeError(f"module 'vbiflow' has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    """Names that the library offers, for completion."""
    return sorted({*globals(), *__all__})
