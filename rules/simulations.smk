SIMULATE = {
    "prior": setting("prior"),
    "units": of_study("units"),
    "model": setting("model"),
    "parameters": setting("parameters"),
    "simulation": of_study("simulation"),
    "observation": of_study("recorded", "observation"),
    "seed": setting("seed"),
    "pool": of_study("pool_options", "connectome.pool"),
    "code": code("scripts/simulate.py", simulates=True),
}


# simulate draws its rows of theta again, by the function that fills prior.h5, and does not read that file: the more
# simulations, the longer prior.h5, and with it as an input every shard would be computed again. Snakemake's ancient()
# is no way out: it overlooks that a new shard needs rows which an old prior.h5 lacks. A test compares the two.
# The profile alone decides the device: `set-resources: {simulate: {gpu: 1}}` in it (profiles/gpu) asks for the GPU kernel.
rule simulate:
    input:
        connectome="results/{study}/{estimator}/connectome.h5",
        pool=pool_of,
    output:
        temp("results/{study}/{estimator}/simulations/{shard}.h5"),
    log:
        "results/{study}/{estimator}/logs/simulate/{shard}.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/simulate/{shard}.tsv"
    conda:
        "../envs/simulate.yaml" if DEVICE == "cpu" else "../envs/simulate-gpu.yaml"
    threads: threads_of("simulate")
    resources:
        mem_mb=memory("simulate"),
        runtime=minutes("simulate"),
        gpu=0,
    params:
        **SIMULATE,
        stream=int(Stream.PRIOR),
        theta=None,
        rows=lambda wildcards: study_of(wildcards).rows(wildcards.shard),
    script:
        "../scripts/simulate.py"


# Series of simulations are temporary: they take far more room than the features taken from them. Those of a study that
# says simulation.keep stay, under the same name and with the same params, so that the switch itself remakes nothing.
use rule simulate as simulate_kept with:
    output:
        "results/{study}/{estimator}/simulations/{shard}.h5",
    wildcard_constraints:
        study=KEPT,


use rule simulate as simulate_predictive with:
    input:
        connectome=of_connectome("connectome.h5"),
        theta="results/{study}/subjects/{subject}/samples.h5",
    output:
        temp("results/{study}/subjects/{subject}/predictive/simulations.h5"),
    log:
        "results/{study}/subjects/{subject}/logs/simulate_predictive.log",
    benchmark:
        "results/{study}/subjects/{subject}/benchmarks/simulate_predictive.tsv"
    params:
        **SIMULATE,
        stream=int(Stream.PREDICTIVE),
        theta="predictive_theta",
        rows=lambda wildcards: (0, study_of(wildcards).n_predictive_simulations),


use rule simulate_predictive as simulate_predictive_kept with:
    output:
        "results/{study}/subjects/{subject}/predictive/simulations.h5",
    wildcard_constraints:
        study=KEPT,


ruleorder: simulate_kept > simulate
ruleorder: simulate_predictive_kept > simulate_predictive


rule truth:
    input:
        connectome=of_connectome("connectome.h5"),
    output:
        "results/{study}/subjects/{subject}/truth.h5",
    log:
        "results/{study}/subjects/{subject}/logs/truth.log",
    priority: 100
    conda:
        "../envs/simulate.yaml"
    resources:
        mem_mb=memory("truth"),
        runtime=minutes("truth"),
    params:
        prior=setting("prior"),
        units=of_study("units"),
        truth=lambda wildcards: study_of(wildcards)["truth"][wildcards.subject],
        code=code("scripts/truth.py"),
    script:
        "../scripts/truth.py"


use rule simulate as simulate_recording with:
    input:
        connectome=of_connectome("connectome.h5"),
        theta="results/{study}/subjects/{subject}/truth.h5",
    output:
        "results/{study}/subjects/{subject}/recording.h5",
    log:
        "results/{study}/subjects/{subject}/logs/simulate_recording.log",
    benchmark:
        "results/{study}/subjects/{subject}/benchmarks/simulate_recording.tsv"
    params:
        **SIMULATE,
        stream=int(Stream.RECORDING),
        theta="theta",
        rows=lambda wildcards: study_of(wildcards).theta_rows(wildcards.subject),
