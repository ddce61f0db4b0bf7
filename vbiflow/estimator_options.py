"""The study's `inference` block: defaults, and every mistake in it found before anything is simulated.

Nothing here needs torch, which takes seconds to load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vbiflow.reading import suggest

ESTIMATOR_OPTIONS: dict[str, dict[str, int | float]] = {
    "maf": {"num_transforms": 5, "num_blocks": 2, "hidden_features": 50, "dropout_probability": 0.0},
    "nsf": {
        "num_transforms": 5,
        "num_blocks": 2,
        "hidden_features": 50,
        "num_bins": 10,
        "tail_bound": 3.0,
        "dropout_probability": 0.0,
    },
    "mdn": {"num_components": 10, "hidden_features": 50},
    "flow_matching": {"hidden_features": 100, "num_layers": 5, "time_embedding_dim": 32},
}
"""Options and defaults of each of `vbiflow.inference.ESTIMATORS`."""
EMBEDDING_OPTIONS: dict[str, dict[str, int | float]] = {
    "none": {},
    "fully_connected": {"hidden_features": 100, "num_layers": 2, "num_outputs": 20},
    "permutation_invariant": {"num_elements": 2, "hidden_features": 50, "num_layers": 2, "num_outputs": 20},
    "cnn": {"num_channels": 1, "hidden_features": 16, "num_layers": 4, "kernel_size": 5, "num_outputs": 20},
    "fc_triangle": {"hidden_features": 8, "num_layers": 1, "num_outputs": 20},
}
"""Options and defaults of each of `vbiflow.inference.EMBEDDINGS`."""
CHOICES: dict[str, tuple[str, ...]] = {
    "scaling": ("robust", "standard"),
    "reduction": ("auto", "none"),
    "regression": ("auto", "none"),
    "marginal_networks": ("auto", "none"),
    "dropout": ("auto", "none"),
    "schedule": ("plateau", "cosine"),
    "device": ("cpu", "cuda", "auto"),
}
"""What each option that is one of a few words may be."""
OPTIONS: dict[str, Any] = {
    "estimator": "maf",
    "embedding": "none",
    "members": 1,
    "scaling": "robust",
    "reduction": "auto",
    "regression": "auto",
    "marginal_networks": "auto",
    "dropout": "auto",
    "missing_share": 0.05,
    "batch_size": 200,
    "learning_rate": 5e-4,
    "schedule": "plateau",
    "max_epochs": 2000,
    "patience": 20,
    "clip_norm": 5.0,
    "validation_share": 0.1,
    "test_share": 0.1,
    "device": "cpu",
}
DEMANDS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "dropout_probability": ("below 1", lambda value: value < 1),
    "tail_bound": ("above 0", lambda value: value > 0),
    "time_embedding_dim": ("even", lambda value: value % 2 == 0),
}
"""What an option of an estimator must be beside a number, in words and as a test."""
WORKFLOW = ("n_simulations", "rounds")
SHARES = ("validation_share", "test_share", "missing_share")


def resolve_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options with defaults filled in; `estimator` and `embedding` become {"name": ..., "options": {...}}.

    Either is written as a name, or as ``{name: {option: value}}``. Keys that other rules read (n_simulations) pass.

    Raises
    ------
    ValueError
        If an option is unknown or its value is of the wrong kind; the message lists what is allowed.
    """
    options = dict(options or {})
    unknown = [key for key in options if key not in OPTIONS and key not in WORKFLOW]
    if unknown:
        known = (*OPTIONS, *WORKFLOW)
        hint = suggest(unknown[0], known)
        raise ValueError(f"unknown inference option {unknown[0]!r}; choose from {', '.join(known)}{hint}")
    chosen = OPTIONS | {key: value for key, value in options.items() if key in OPTIONS}
    for key, default in OPTIONS.items():
        if not isinstance(default, str):
            chosen[key] = check_option(f"inference {key}", chosen[key], default)
    for key in SHARES:
        if chosen[key] >= 1:
            raise ValueError(f"inference {key} is a share of the simulations below 1, found {chosen[key]:g}")
    for key, known in CHOICES.items():
        if chosen[key] not in known:
            raise ValueError(f"unknown {key} {chosen[key]!r}; choose from {', '.join(known)}")
    if chosen["schedule"] == "cosine" and "max_epochs" not in options:
        raise ValueError("inference schedule cosine lowers the learning rate over max_epochs: write how many, as 50")
    chosen["estimator"] = resolve_choice("estimator", chosen["estimator"], ESTIMATOR_OPTIONS)
    chosen["embedding"] = resolve_choice("embedding", chosen["embedding"], EMBEDDING_OPTIONS)
    return chosen


def resolve_choice(kind: str, entry: Any, registry: Mapping[str, Mapping[str, int | float]]) -> dict[str, Any]:
    """Read ``name`` or ``{name: {option: value}}`` against the options of each name with their defaults."""
    if isinstance(entry, Mapping) and set(entry) == {"name", "options"}:
        entry = {entry["name"]: entry["options"]}
    name, given = next(iter(entry.items())) if isinstance(entry, Mapping) and len(entry) == 1 else (entry, {})
    if not isinstance(name, str) or name not in registry:
        raise ValueError(f"unknown {kind} {name!r}; choose from {', '.join(registry)}{suggest(name, registry)}")
    defaults = registry[name]
    for key in given or {}:
        if key not in defaults:
            raise ValueError(f"{kind} {name} has no option {key!r}; choose from {', '.join(defaults) or 'none'}")
    values = {
        key: check_option(f"{kind} {name} {key}", (given or {}).get(key, defaults[key]), defaults[key])
        for key in defaults
    }
    for key in values.keys() & DEMANDS:
        words, holds = DEMANDS[key]
        if not holds(values[key]):
            raise ValueError(f"{kind} {name} {key} must be {words}, found {values[key]:g}")
    return {"name": name, "options": values}


def check_option(what: str, value: Any, default: int | float) -> int | float:
    """`value` as a number of the default's type: a positive integer, or a number that is not negative."""
    whole = isinstance(default, int)
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or value < (1 if whole else 0):
        raise ValueError(f"{what} must be {'a positive integer' if whole else 'a number from 0 up'}, found {value!r}")
    return value if whole else float(value)
