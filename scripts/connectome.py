"""Read, check and normalise one person's connectome."""

from vbiflow.connectome import prepare_connectome
from vbiflow.job import job

with job(snakemake, excludes="estimator") as run:
    params = snakemake.params
    connectome = prepare_connectome(params.row, params.connectome, params.maps, params.delays)
    for finding in connectome.findings:
        print(f"{finding.severity}: {finding.name}: {finding.text}")
    connectome.save(snakemake.output[0], run.provenance())
