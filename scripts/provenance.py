"""Write where a study's results come from, as JSON and as an RO-Crate."""

from pathlib import Path

from vbiflow.crate import collect_provenance, crate_text
from vbiflow.io import write_json, write_text
from vbiflow.job import job

with job(snakemake, reads_exclusions=True) as run:
    params, output = snakemake.params, snakemake.output
    outputs = sorted(set(snakemake.input) - {snakemake.input.snakefile})
    found = collect_provenance(outputs, params.study, params.settings)
    write_json(output.provenance, found)
    write_text(output.workflow, Path(snakemake.input.snakefile).read_text(encoding="utf-8"))
    write_text(output.crate, crate_text(Path(output.crate).parent, found, params.sources, outputs))
