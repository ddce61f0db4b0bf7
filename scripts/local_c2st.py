"""Test one person's posterior at the very recording, by classifiers trained on held-out simulations."""

from vbiflow.diagnostics.local import local_c2st
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Quantity, read, write
from vbiflow.job import job

with job(snakemake) as run:
    params, source = snakemake.params, snakemake.input
    posterior = Posterior.load(source.posterior)
    data = TrainingSet.load(source.prior, source.features, params.inference, seed=params.seed)
    found = local_c2st(posterior, *data.held_out(), read(source.x_o, "x")["x"], seed=params.seed)
    axes = {"statistic": (), "p_value": (), "null": ("classifier",), "theta": ("sample", "parameter")}
    units = {"theta": posterior.prior.units}
    quantities = {
        name: Quantity(values, units.get(name, "1"), axes.get(name, ("sample",))) for name, values in found.items()
    }
    quantities["names"] = Quantity.text(posterior.parameters, "parameter")
    write(snakemake.output[0], quantities, run.provenance())
    run.say(f"p = {found['p_value']:.3f}")
