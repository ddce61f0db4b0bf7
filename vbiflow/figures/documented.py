"""Take new results of the case studies into the documentation: ``python -m vbiflow.figures.documented``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from vbiflow.case_studies import CASE_STUDIES
from vbiflow.documented_run import DOCUMENTED, PICTURES, TABLES, documented, merge_table, rows_by_study
from vbiflow.figures.draw import draw_figures
from vbiflow.figures.table import figure_inputs, figure_parameters, wanted_figures
from vbiflow.io import atomic, write_text
from vbiflow.study import load_study

WIDTH, LARGEST = 1440, 200_000
"""Most pixels that a committed picture is wide, and bytes that it takes."""
COLOURS = 128
"""Of one that would take more, and so takes a quarter."""


def update_documented_run(results: Path) -> None:
    """Take the tables from `results`, and the pictures: of a study where it ran, of all where all of them did."""
    new = {name: (results / f"{name}.tsv").read_text(encoding="utf-8") for name in TABLES}
    for name, table in new.items():
        write_text(DOCUMENTED / f"{name}.tsv", merge_table(documented(name), table))
    ran = {stem: rows[0]["study"] for stem, rows in rows_by_study(new["summary"]).items()}
    for stem in PICTURES.keys() & ran.keys():
        draw_picture(ran[stem], DOCUMENTED / f"{stem}.png")
    if ran.keys() == CASE_STUDIES.keys():
        shrink_picture(results / "overview.png", DOCUMENTED / "overview.png")


def draw_picture(name: str, path: Path) -> None:
    """Draw the picture of a study ``name@scale`` from its results, as a PNG of few bytes."""
    study, figure = load_study(name), PICTURES[name.partition("@")[0]]
    owner = ("subject", study, study.subjects[0])
    with TemporaryDirectory() as folder:
        large = Path(folder) / "large.png"
        entry = wanted_figures(*owner)[figure].plain()
        if draw_figures({figure: entry}, figure_inputs(*owner), figure_parameters(*owner), {figure: large}):
            raise ValueError(f"{name}: {figure} cannot be drawn; see above")
        shrink_picture(large, path)


def shrink_picture(source: Path, path: Path) -> None:
    """Write a PNG again, at most `WIDTH` pixels wide; in `COLOURS` colours if it takes `LARGEST` bytes or more."""
    picture = Image.open(source).convert("RGB")
    picture.thumbnail((WIDTH, 10 * WIDTH))
    with atomic(path) as part:
        picture.save(part, "PNG", optimize=True)
        if part.stat().st_size >= LARGEST:
            picture.quantize(COLOURS, dither=Image.Dither.NONE).save(part, "PNG", optimize=True)


if __name__ == "__main__":
    update_documented_run(Path("results/case_studies"))
