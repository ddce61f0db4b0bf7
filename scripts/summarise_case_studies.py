"""Put the case studies of the paper together: summary, claims, page."""

from textwrap import fill

from vbiflow.case_studies import CASE_STUDIES, cost_rows, gpu_check, summarise_case_studies
from vbiflow.figures.case_studies import PICTURES, accuracy, card, costs, overview, page
from vbiflow.figures.style import message, save
from vbiflow.io import read, write_text
from vbiflow.job import job
from vbiflow.text_tables import tab_separated

with job(snakemake) as run:
    studies = snakemake.params.studies
    rows, claims = summarise_case_studies(studies)
    figures = {name: CASE_STUDIES[name.partition("@")[0]] for name in studies}
    stems = {name: fill(name.strip("@").replace("_", " ").replace("@", ", "), 26) for name in studies}
    held_out = {
        f"Figure {figures[name]}\n{stems[name]}": read(paths["calibration"], "theta", "mean", "names")
        for name, paths in studies.items()
    }
    curves = {
        name: read(
            paths["learning_curve"], "estimators", "parameters", "n_simulations", "rmse", "shrinkage", "coverage_90"
        )
        for name, paths in studies.items()
        if paths["learning_curve"]
    }
    save(overview(held_out), snakemake.output.overview)
    save(accuracy(curves) if curves else message("No study has a learning curve."), snakemake.output.accuracy)
    save(costs(rows, *gpu_check()), snakemake.output.costs)
    cards = [
        card(name, figures[name], paths, paths["settings"], row)
        for (name, paths), row in zip(studies.items(), rows, strict=True)
    ]
    write_text(snakemake.output.summary, tab_separated(list(rows[0]), rows))
    write_text(snakemake.output.claims, tab_separated(list(claims[0]), claims) if claims else "")
    drawn = {key: snakemake.output[key] for key in PICTURES if key != "accuracy" or curves}
    write_text(snakemake.output.page, page(rows, claims, cards, drawn, cost_rows(rows)))
    run.say(snakemake.output.page)
