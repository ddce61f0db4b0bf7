"""Compare one person's own estimator with one that learned from other people, on simulations that neither has seen."""

from vbiflow.connectome import Connectome
from vbiflow.diagnostics.amortisation import amortisation
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import write_json
from vbiflow.job import job
from vbiflow.posterior_table import statistics

with job(snakemake) as run:
    params, source = snakemake.params, snakemake.input
    data = TrainingSet.load(source.prior, source.features, params.inference, seed=params.seed)
    found = amortisation(
        Posterior.load(source.own),
        Posterior.load(source.other),
        *data.held_out(),
        data.names,
        Connectome.load(source.connectome),
        seed=params.seed,
    )
    intervals = {role: statistics(source[f"{role}_samples"], source.prior) for role in ("own", "other")}
    write_json(snakemake.output[0], found | {"posterior": intervals})
    run.say("log probability [nat]: own {:.2f}, other {:.2f}".format(*(found[r]["log_prob"] for r in ("own", "other"))))
