"""Check one person's posterior: is the recording like the simulations, do re-simulations look like it."""

from vbiflow.diagnostics import misspecification, subject_verdict
from vbiflow.diagnostics.misspecification import prior_predictive
from vbiflow.diagnostics.posterior_predictive import posterior_predictive
from vbiflow.io import Quantity, attributes, read, read_json, write, write_json
from vbiflow.job import job
from vbiflow.observation.sensors import sensors_of
from vbiflow.streams import Stream

with job(snakemake) as run:
    params = snakemake.params
    observed = read(snakemake.input.x_o)
    found = misspecification(
        prior_predictive(snakemake.input.features),
        observed["x"],
        observed["names"],
        seed=params.seed,
        thresholds=params.diagnostics["thresholds"],
    )
    quantities, scores = {}, None
    if "ts" in observed:  # tables of spectra or features have no series to compare
        quantities, scores = posterior_predictive(
            snakemake.input.simulations,
            observed["ts"],
            attributes(snakemake.input.x_o, "ts")["fs"],
            params.features,
            params.diagnostics["n_predictive"],
            params.diagnostics["scores"],
            params.signal,
            params.preparation,
            sensors_of(
                snakemake.input.get("lead_field"),
                params.sensors,
                params.seed,
                Stream.PREDICTIVE,
                snakemake.input.simulations,
            ),
        )
    again = read(snakemake.input.predictive, "x", "names")
    quantities["x"] = Quantity(
        again["x"], attributes(snakemake.input.predictive, "x")["unit"], ("simulation", "feature")
    )
    quantities["names"] = Quantity.text(again["names"], "feature")
    write(snakemake.output.predictive, quantities, run.provenance())
    verdict = subject_verdict(
        found,
        read_json(snakemake.input.diagnostics),
        scores,
        thresholds=params.diagnostics["thresholds"],
        deterministic=params.deterministic,
    )
    write_json(snakemake.output.verdict, verdict)
    run.say(f"{verdict['verdict']}: {verdict['reasons'][0]}")
