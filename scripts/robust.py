"""Sample one person's posterior once more, allowing for features that are wrong."""

import torch

from vbiflow.diagnostics.robust import robust_posterior
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Quantity, read, write
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params, source = snakemake.params, snakemake.input
    posterior = Posterior.load(source.posterior)
    data = TrainingSet.load(source.prior, source.features, params.inference, seed=params.seed)
    x_o, n_samples = read(source.x_o, "x")["x"], params.posterior["n_samples"]
    found = robust_posterior(posterior, data, x_o, n_samples, seed=params.seed)
    quantities = {
        "theta": Quantity(found.theta, posterior.prior.units, ("sample", "parameter")),
        "names": Quantity.text(posterior.parameters, "parameter"),
        "features": Quantity.text(found.names, "feature"),
        "wrong": Quantity(found.wrong, "1", ("feature",)),
        "shift": Quantity(found.shift, "1", ("feature",)),
    }
    write(snakemake.output[0], quantities, run.provenance())
    run.say(f"features that are wrong: {', '.join(found.offending()) or 'none'}")
