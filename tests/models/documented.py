"""The model that docs/own_model.md gives as an example, as a user would write it into a file."""

import importlib.util
import re

from vbiflow.provenance import ROOT


def documented_model(folder):
    """MODEL of the first Python block of the page."""
    path = folder / "generic_2d.py"
    text = (ROOT / "docs" / "own_model.md").read_text(encoding="utf-8")
    path.write_text(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("generic_2d", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MODEL
