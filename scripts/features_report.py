"""Say which features vary, repeat each other, tell of which parameter, and lie outside of the simulations."""

from vbiflow.diagnostics.feature_report import features_report
from vbiflow.exclusion import not_excluded
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import read_subjects, write_json
from vbiflow.job import job

with job(snakemake, reads_exclusions="x_o") as run:
    params = snakemake.params
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    found = features_report(
        data,
        params.features,
        params.inference,
        recordings=read_subjects(not_excluded(snakemake.input.x_o), "x"),
        progress=run,
    )
    write_json(snakemake.output[0], found)
    dropped, redundant = len(found["dropped"]), sum(map(len, found["redundant"]))
    run.say(f"{found['n_features']} features, {dropped} dropped, {redundant} follow one another")
