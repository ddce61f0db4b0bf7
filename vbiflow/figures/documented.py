"""Take new results of the case studies into the documentation: ``python -m vbiflow.figures.documented``."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from PIL import Image

from vbiflow.case_studies import CASE_STUDIES, gpu_check
from vbiflow.documented_run import (
    DOCUMENTED,
    PICTURES,
    TABLES,
    documented_rows,
    merge_table,
    read_documented,
    rows_by_study,
)
from vbiflow.figures.case_studies import costs
from vbiflow.figures.draw import draw_figures
from vbiflow.figures.style import save
from vbiflow.figures.table import figure_inputs, figure_parameters, wanted_figures
from vbiflow.io import atomic, write_text
from vbiflow.study import load_study

WHOLE = ("overview", "accuracy")
"""Pictures of all studies."""
WIDTH, LARGEST = 1440, 200_000
"""Most pixels that a committed picture is wide, and bytes that it takes."""
COLOURS = 256
"""Of one that would take more, and so takes a quarter."""


def update_documented_run(results: Path) -> None:
    """Take the tables from `results`, and the pictures: of a study where it ran, of all where all of them did.

    What can fail comes before anything is written.

    Raises
    ------
    ValueError
        If the results are not there or not whole, in one line with the file.
    """
    new = {name: read_results(results / f"{name}.tsv") for name in TABLES}
    merged = {name: merge_table(read_documented(name), table) for name, table in new.items()}
    ran = {stem: rows[0]["study"] for stem, rows in rows_by_study(new["summary"]).items()}
    with TemporaryDirectory() as folder:
        for picture, (stem, scope, figure) in PICTURES.items():
            if stem in ran:
                draw_picture(ran[stem], scope, figure, Path(folder) / f"{picture}.png")
        if ran.keys() == CASE_STUDIES.keys():
            for name in WHOLE:
                shrink_picture(results / f"{name}.png", Path(folder) / f"{name}.png")
        for name, table in merged.items():
            write_text(DOCUMENTED / f"{name}.tsv", table)
        draw_costs(Path(folder) / "costs.png")
        for picture in Path(folder).iterdir():
            copyfile(picture, DOCUMENTED / picture.name)


def read_results(path: Path) -> str:
    """The text of a table that the page of the case studies comes with."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; make case-studies makes it")
    return path.read_text(encoding="utf-8")


def draw_costs(path: Path) -> None:
    """Draw what the last documented run of every study took, as a PNG of few bytes."""
    with TemporaryDirectory() as folder:
        large = Path(folder) / "large.png"
        save(costs(documented_rows(), *gpu_check()), large)
        shrink_picture(large, path)


def draw_picture(name: str, scope: str, figure: str, path: Path) -> None:
    """Draw a figure of a study ``name@scale`` from its results, as a PNG of few bytes."""
    study = load_study(name)
    owner = {"subject": study.subjects, "estimator": study.estimators, "cohort": [""]}[scope][0]
    whole = scope, study, owner
    with TemporaryDirectory() as folder:
        large = Path(folder) / "large.png"
        entry = wanted_figures(*whole)[figure].plain()
        if draw_figures({figure: entry}, figure_inputs(*whole), figure_parameters(*whole), {figure: large}):
            raise ValueError(f"{name}: {figure} cannot be drawn; see above")
        shrink_picture(large, path)


def shrink_picture(source: Path, path: Path) -> None:
    """Write a PNG again, at most `WIDTH` pixels wide; in `COLOURS` colours if it takes `LARGEST` bytes or more."""
    picture = Image.open(source).convert("RGB")
    picture.thumbnail((WIDTH, 10 * WIDTH))
    with atomic(path) as part:
        picture.save(part, "PNG", optimize=True)
        if part.stat().st_size >= LARGEST:
            few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(part, "PNG", optimize=True)


if __name__ == "__main__":
    try:
        update_documented_run(Path("results/case_studies"))
    except ValueError as error:
        sys.exit(str(error))
