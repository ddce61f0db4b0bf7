"""Read, check and normalise one person's connectome."""

from vbiflow.connectome import inspect, read_connectome, with_maps
from vbiflow.job import job

with job(snakemake, excludes="estimator") as run:
    row, options = snakemake.params.row, snakemake.params.connectome
    streamlines = options["streamlines"] | {"streamline_weights": row["streamline_weights"]}
    connectome = read_connectome(
        row["weights"],
        row["tract_lengths"],
        row["regions"],
        options["select"],
        parcellation=row["parcellation"],
        streamlines=streamlines,
    )
    connectome = inspect(connectome, options["accept"], row["weights"])
    for finding in connectome.findings:
        print(f"{finding.severity}: {finding.name}: {finding.text}")
    connectome = with_maps(connectome, snakemake.params.maps)
    if snakemake.params.delays:
        connectome.check_delays(*snakemake.params.delays)
    connectome.normalised(options["normalise"]).save(snakemake.output[0], run.provenance())
