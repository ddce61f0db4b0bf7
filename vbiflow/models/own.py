"""Models of a user's own, config/models/<name>.py, beside those that ship."""

from __future__ import annotations

from pathlib import Path

from vbiflow.models.model import Model
from vbiflow.places import load_user_module, user_modules

FOLDER = "config/models"


def own_models() -> dict[str, Path]:
    """Files of the user's models by name: the working directory's, then the workflow's."""
    return user_modules(FOLDER)


def load_model(path: Path) -> Model:
    """The model that a Python file defines as MODEL, under the file's own name.

    Raises
    ------
    ValueError
        If the file fails to run, has no MODEL, or calls it otherwise than the file.
    """
    model = getattr(load_user_module(path, "a model's"), "MODEL", None)
    if not isinstance(model, Model):
        raise ValueError(f"{path}: no MODEL; write MODEL = Model(name={path.stem!r}, ...) as docs/own_model.md shows")
    if model.name != path.stem:
        raise ValueError(f"{path}: its model is called {model.name!r}; call file and model by one name")
    return model
