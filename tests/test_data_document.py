"""docs/data.md lists the formats that are read, no more and no fewer."""

from __future__ import annotations

import re
from pathlib import Path

from vbiflow.arrays import FORMATS
from vbiflow.connectome.read import READERS
from vbiflow.empirical.cohort import COLUMNS, KINDS
from vbiflow.empirical.recording import IMAGES

TEXT = (Path(__file__).parents[1] / "docs" / "data.md").read_text(encoding="utf-8")


def suffixes(section: str) -> list[str]:
    """What the first column of the table in a section names."""
    body = TEXT[TEXT.index(section) :].partition("\n\n## ")[0]
    return [
        one for row in re.findall(r"^\| (`\..*?) \|", body, re.MULTILINE) for one in re.findall(r"`(\.[\w.]+)`", row)
    ]


def test_the_table_of_connectomes_is_the_registry() -> None:
    assert sorted(suffixes("## Connectomes")) == sorted(READERS)


def test_the_table_of_recordings_is_the_registry() -> None:
    assert sorted(suffixes("## Recordings")) == sorted([*IMAGES, *FORMATS])


def test_every_column_and_kind_is_named() -> None:
    for name in COLUMNS:
        assert f"`{name}`" in TEXT, name
    for kind in KINDS:
        assert kind == "simulated" or re.search(rf"\b{kind}\b", TEXT), kind
