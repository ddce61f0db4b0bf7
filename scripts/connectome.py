"""Read, check and normalise one person's connectome; fit its weights to recordings, if the study says so."""

from vbiflow.connectome import prepare_connectome
from vbiflow.connectome.effective import effective_connectome
from vbiflow.empirical.observe import series_to_fit
from vbiflow.job import job

with job(snakemake, excludes="estimator") as run:
    params = snakemake.params
    connectome = prepare_connectome(params.row, params.connectome, params.maps, params.delays)
    if params.fitted:
        select, part = params.connectome["select"], params.fitted["part"]
        series = [
            series_to_fit(row, connectome.labels, select, params.recording, params.preparation, part)
            for row in params.fitted["rows"]
        ]
        connectome = effective_connectome(connectome, series, params.fitted["whose"])
    for finding in connectome.findings:
        print(f"{finding.severity}: {finding.name}: {finding.text}")
    connectome.save(snakemake.output[0], run.provenance())
