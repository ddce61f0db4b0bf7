"""Put the case studies of the paper together: summary, claims, page."""

from vbiflow.case_studies import CASE_STUDIES, summarise_case_studies, tsv
from vbiflow.figures.case_studies import card, page
from vbiflow.io import write_text
from vbiflow.job import job

with job(snakemake) as run:
    studies = snakemake.params.studies
    rows, claims = summarise_case_studies(studies)
    cards = [
        card(name, CASE_STUDIES[name.partition("@")[0]], paths, paths["settings"]) for name, paths in studies.items()
    ]
    write_text(snakemake.output.summary, tsv(rows))
    write_text(snakemake.output.claims, tsv(claims) if claims else "")
    write_text(snakemake.output.page, page(rows, claims, cards))
    run.say(snakemake.output.page)
