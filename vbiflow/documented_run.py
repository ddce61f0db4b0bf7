"""Tables of the case studies that the documentation keeps; `vbiflow.figures.documented` takes new results."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from vbiflow.case_studies import CASE_STUDIES, core_hours, cost_of_figure_7, cost_rows
from vbiflow.provenance import ROOT
from vbiflow.text_tables import markdown_table, tab_separated

DOCUMENTED = ROOT / "docs" / "case_studies"
TABLES = ("summary", "claims")
PICTURES = {
    "wilson_cowan": ("wilson_cowan", "subject", "brain"),
    "wilson_cowan_mean": ("wilson_cowan_mean", "subject", "estimators"),
    "jansen_rit": ("jansen_rit", "subject", "brain"),
    "stuart_landau": ("stuart_landau", "subject", "pairs"),
    "epileptor_series": ("epileptor", "subject", "series"),
    "epileptor_violins": ("epileptor", "subject", "marginals"),
    "epileptor": ("epileptor", "subject", "brain"),
    "epileptor_noise": ("epileptor_noise", "estimator", "noise_levels"),
    "montbrio": ("montbrio", "subject", "brain"),
    "wong_wang_maps": ("wong_wang_maps", "subject", "marginals"),
    "wong_wang_coupling": ("wong_wang_coupling", "subject", "pairs"),
    "wong_wang_plane": ("wong_wang_coupling", "estimator", "plane"),
    "wong_wang_people": ("wong_wang_coupling", "cohort", "cohort_pairs"),
}
"""Study and figure of each picture of the documentation: of the first virtual person or estimator, or of all people."""

BRIEF = {
    **{key: key for key in ("study", "figure", "parameters", "simulations", "shrinkage")},
    **{"coverage_90": "90 % coverage", "verdict": "estimator", "paper": "paper"},
}
"""Columns of the summary that README shows, and their headings."""


def case_studies_run() -> str:
    """The summary of the last documented run of every case study, as a Markdown table: its verdicts are estimators'."""
    return documented_table("summary", {"verdict": "estimator"})


def case_studies_brief() -> str:
    """The columns of that summary that fit on a page, as a Markdown table."""
    return markdown_table(BRIEF.values(), ([row[key] for key in BRIEF] for row in documented_rows()))


def case_studies_claims() -> str:
    """The claims that those runs decided, as a Markdown table."""
    return documented_table("claims")


def case_studies_costs() -> str:
    """Where the time of those runs went and what all would cost, as a Markdown table; figure 7 in words below it."""
    rows = documented_rows()
    costs = cost_rows(rows)
    table = markdown_table([column.replace("_", " ") for column in costs[0]], (row.values() for row in costs))
    return f"{table}\n\n{cost_of_figure_7(rows)} ([gpu_check.json](gpu_check.json))"


def case_studies_commands() -> str:
    """How the pictures of the documentation are made and in what time, as a Markdown table."""
    ran = {stem: rows[0] for stem, rows in rows_by_study(read_documented("summary")).items()}
    rows = []
    for picture, (stem, *_) in PICTURES.items():
        name = ran[stem]["study"] if "@" in ran[stem]["study"] else f"{stem}@"
        command = f"`snakemake case_studies --cores 2 --config 'case_studies=[{name}]'`"
        rows.append(
            (f"[{picture}.png](case_studies/{picture}.png)", command, f"{60 * sum(core_hours(ran[stem]).values()):.0f}")
        )
    return markdown_table(("picture", "command", "core minutes"), rows)


def documented_rows() -> list[dict[str, str]]:
    """Rows of the summary that the documentation keeps."""
    return list(csv.DictReader(io.StringIO(read_documented("summary")), delimiter="\t"))


def read_documented(name: str) -> str:
    """A tab-separated table that the documentation keeps."""
    return (DOCUMENTED / f"{name}.tsv").read_text(encoding="utf-8")


def documented_table(name: str, headings: Mapping[str, str] | None = None) -> str:
    """A table that the documentation keeps, as Markdown, with other `headings` for some columns."""
    header, *rows = csv.reader(io.StringIO(read_documented(name)), delimiter="\t")
    return markdown_table([(headings or {}).get(column, column).replace("_", " ") for column in header], rows)


def merge_table(documented: str, results: str) -> str:
    """Both tables in one: of a study that ran again, at whatever scale, the new rows take the place of the old.

    Both are tab-separated with a column ``study``; rows keep the order of `CASE_STUDIES`. What an old row had no
    column for stays empty.
    """
    old, new = rows_by_study(documented), rows_by_study(results)
    rows = [row for name in CASE_STUDIES for row in new.get(name) or old.get(name, ())]
    return tab_separated(list(max(rows, key=len)), rows)


def rows_by_study(table: str) -> dict[str, list[dict[str, str]]]:
    """Rows of a tab-separated table by their study, without its scale; a row that is cut off is refused."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t"):
        if None in row or None in row.values():
            raise ValueError(f"the row of {row['study']} has another length than its header; make the table again")
        found.setdefault(row["study"].partition("@")[0], []).append(row)
    return found
