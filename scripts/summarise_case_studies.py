"""Put the case studies of the paper together: summary, claims, page."""

from textwrap import fill

from vbiflow.case_studies import CASE_STUDIES, cost_rows, summarise_case_studies
from vbiflow.figures.case_studies import card, overview, page
from vbiflow.figures.style import save
from vbiflow.io import read, write_text
from vbiflow.job import job
from vbiflow.text_tables import tab_separated

with job(snakemake) as run:
    studies = snakemake.params.studies
    rows, claims = summarise_case_studies(studies)
    figures = {name: CASE_STUDIES[name.partition("@")[0]] for name in studies}
    stems = {name: fill(name.partition("@")[0].replace("_", " "), 20) for name in studies}
    held_out = {
        f"Figure {figures[name]}\n{stems[name]}": read(paths["calibration"], "theta", "mean", "names")
        for name, paths in studies.items()
    }
    save(overview(held_out), snakemake.output.overview)
    cards = [card(name, figures[name], paths, paths["settings"]) for name, paths in studies.items()]
    write_text(snakemake.output.summary, tab_separated(list(rows[0]), rows))
    write_text(snakemake.output.claims, tab_separated(list(claims[0]), claims) if claims else "")
    write_text(snakemake.output.page, page(rows, claims, cards, snakemake.output.overview, cost_rows(rows)))
    run.say(snakemake.output.page)
