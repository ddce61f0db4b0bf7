"""Put results of a study or of one of its subjects into one HTML page; of a study say where they come from, too."""

from pathlib import Path

from vbiflow.crate import collect_provenance, crate_text
from vbiflow.figures.report import report
from vbiflow.io import write_json, write_text
from vbiflow.job import job

CRATE = ("cohort", "exclusions", "connectome", "prior", "features", "posterior", "x_o", "samples", "verdict")

with job(snakemake, reads_exclusions=not snakemake.wildcards.get("subject")) as run:
    inputs, output, params = snakemake.input, snakemake.output, dict(snakemake.params.items())
    sources = params.pop("sources")
    files = {kind: list(paths) for kind, paths in inputs.items() if not isinstance(paths, str)}
    write_text(output[0], report(inputs.template, files, params))
    if output.get("crate"):
        made = sorted({output.report, inputs.exclusions, *(path for kind in CRATE for path in files.get(kind, ()))})
        found = collect_provenance(made, params["study"], params["settings"])
        write_json(output.provenance, found)
        write_text(output.workflow, Path(inputs.snakefile).read_text(encoding="utf-8"))
        write_text(output.crate, crate_text(Path(output.crate).parent, found, sources, made))
    run.say(output[0])
