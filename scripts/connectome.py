"""Read, check and normalise one person's connectome; take from recordings what the study says: noise, weights."""

from vbiflow.connectome import prepare_connectome
from vbiflow.connectome.effective import effective_connectome
from vbiflow.empirical.noise import with_recorded_noise
from vbiflow.empirical.regional import series_to_fit
from vbiflow.job import job

with job(snakemake, excludes="estimator") as run:
    params = snakemake.params
    connectome = prepare_connectome(params.row, params.connectome, params.maps, params.delays)

    def series_of(taken):
        options = params.connectome["select"], params.recording, params.preparation, taken["part"]
        return [series_to_fit(row, connectome.labels, *options) for row in taken["rows"]]

    if params.fitted:
        connectome = effective_connectome(connectome, series_of(params.fitted), params.fitted["whose"])
    if params.recorded:
        connectome = with_recorded_noise(connectome, series_of(params.recorded)[0], params.recorded["fs"])
    for finding in connectome.findings:
        print(f"{finding.severity}: {finding.name}: {finding.text}")
    connectome.save(snakemake.output[0], run.provenance())
