"""Check one person's posterior: is the recording like the simulations, do re-simulations look like it."""

from vbiflow.diagnostic_options import resolve_thresholds
from vbiflow.diagnostics.conformal import conformal_intervals
from vbiflow.diagnostics.controls import controls_note
from vbiflow.diagnostics.feature_check import check_features
from vbiflow.diagnostics.held_out_predictive import calibrated_check
from vbiflow.diagnostics.marginal import judge_marginals
from vbiflow.diagnostics.misspecification import misspecification, prior_predictive, sparse_note
from vbiflow.diagnostics.normal_scores import SmoothScores
from vbiflow.diagnostics.posterior_predictive import posterior_predictive
from vbiflow.diagnostics.robust import summarise_robust
from vbiflow.diagnostics.spectral_predictive import explained_note, spectra_of, spectral_predictive
from vbiflow.diagnostics.subject import subject_verdict
from vbiflow.engine.spectral_discrepancy import spectral_discrepancy_note
from vbiflow.exclusion import not_excluded
from vbiflow.features.discrepancy import discrepancy_note
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Quantity, read, read_attributes, read_json, write, write_json
from vbiflow.job import job
from vbiflow.marginals import DISCREPANCY
from vbiflow.observation.sensors import sensors_of
from vbiflow.prior import Prior
from vbiflow.streams import Stream

with job(snakemake, reads_exclusions="others") as run:
    params, limits = snakemake.params, snakemake.params.diagnostics["thresholds"]
    observed = read(snakemake.input.x_o)
    simulated = prior_predictive(snakemake.input.features)
    found = misspecification(
        simulated,
        observed["x"],
        observed["names"],
        seed=params.seed,
        thresholds=limits,
    )
    quantities, scores = {}, None
    others = {path: read(path) for path in not_excluded(snakemake.input.others)}
    if "ts" in observed:
        quantities, scores = posterior_predictive(
            snakemake.input.simulations,
            observed["ts"],
            read_attributes(snakemake.input.x_o, "ts")["fs"],
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
            {path: other["ts"] for path, other in others.items() if "ts" in other},
            None if params.fitted_part else observed.get("held_out"),
        )
    elif "psd" in observed:  # a table of features alone has nothing to grade the model by
        quantities, scores = spectral_predictive(
            snakemake.input.simulations,
            *spectra_of(snakemake.input.x_o),
            params.features,
            params.diagnostics["n_predictive"],
            params.signal,
            params.preparation,
            [spectra_of(path) for path, other in others.items() if "psd" in other],
        )
    again = read(snakemake.input.predictive, "x", "names", "valid", "index")
    n_predictive = params.diagnostics["n_predictive"]
    drawn = again["x"][again["valid"] & (again["index"] < n_predictive)]
    quantities["x"] = Quantity(
        again["x"], read_attributes(snakemake.input.predictive, "x")["unit"], ("simulation", "feature")
    )
    quantities["names"] = Quantity.text(again["names"], "feature")
    write(snakemake.output.predictive, quantities, run.provenance())
    scores_of = SmoothScores.of(simulated)
    prior = Prior.from_plain(read_attributes(snakemake.input.prior)["prior"])
    samples = read(snakemake.input.samples, "theta")["theta"]
    fixed = params.parameters.get(DISCREPANCY)
    named = discrepancy_note(prior.names, samples, params.discrepancy, fixed)
    named += spectral_discrepancy_note(prior.names, samples)
    least = resolve_thresholds(limits)["information"]
    judged = read_json(snakemake.input.diagnostics)
    followers = {name: entry["single_features"] for name, entry in judged["parameters"].items()}
    marginals, notes = judge_marginals(prior.names, prior.cdf(samples), least, followers, prior.bounds)
    ranks = read(snakemake.input.calibration, "ranks")["ranks"]
    n_samples = read_attributes(snakemake.input.calibration, "ranks")["n_samples"]
    intervals = conformal_intervals(samples, ranks, n_samples, prior.bounds)
    for found_one, ends in zip(marginals.values(), intervals.T, strict=True):
        found_one["conformal_90"] = ends
    robust, spoken = {}, []
    if snakemake.input.robust:
        allowing = read(snakemake.input.robust, "theta", "features", "wrong", "shift")
        quantiles, offending, sentence = summarise_robust(allowing, prior.names, samples)
        robust, spoken = {"wrong_features": offending}, [sentence]
        for found_one, values in zip(marginals.values(), quantiles.T, strict=True):
            found_one["robust"] = values
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    controls = read_json(snakemake.input.controls) if snakemake.input.controls else {}
    verdict = subject_verdict(
        found,
        judged,
        calibrated_check(
            check_features(scores_of(drawn), scores_of(observed["x"])) | {"n_predictive": n_predictive},
            data,
            samples,
            observed["x"],
            read(snakemake.input.calibration, "misfit")["misfit"],
            seed=params.seed,
        ),
        scores,
        thresholds=limits,
        deterministic=params.deterministic,
        require=params.diagnostics["require"],
        notes=[
            *controls_note(controls),
            *named,
            *explained_note(quantities),
            *sparse_note(found, params.n_rounds),
            *notes,
            *spoken,
        ],
        where="this prior" if params.n_rounds == 1 else f"the prior of round {params.n_rounds}",
    )
    write_json(snakemake.output.verdict, verdict | {"parameters": marginals, "controls": controls} | robust)
    run.say(f"{verdict['verdict']}: {verdict['reasons'][0]}")
