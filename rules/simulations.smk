SIMULATE = {
    "prior": setting("prior"),
    "units": units,
    "model": setting("model"),
    "parameters": setting("parameters"),
    "simulation": lambda wildcards: study_of(wildcards).simulation,
    "observation": lambda wildcards: study_of(wildcards).recorded,
    "seed": setting("seed"),
    "pool": pool_options,
    "code": code("scripts/simulate.py"),
}


# The profile alone decides the device: `resources: gpu=0` in it turns the 1 below into 0, the CPU kernel.
rule simulate:
    input:
        connectome="results/{study}/{connectome}/connectome.h5",
        pool=pool_of,
    output:
        temp("results/{study}/{connectome}/simulations/{shard}.h5"),
    log:
        "results/{study}/{connectome}/logs/simulate/{shard}.log",
    benchmark:
        "results/{study}/{connectome}/benchmarks/simulate/{shard}.tsv"
    conda:
        "../envs/simulate.yaml"
    threads: amount("simulate", "threads", 1)
    resources:
        mem_mb=amount("simulate", "mem_mb", 1500),
        runtime=amount("simulate", "runtime", 60),
        gpu=1,
    params:
        **SIMULATE,
        stream=0,
        theta=None,
        rows=lambda wildcards: study_of(wildcards).rows(wildcards.shard),
    script:
        "../scripts/simulate.py"


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
        stream=1,
        theta="predictive_theta",
        rows=lambda wildcards: (
            0,
            sum(
                study_of(wildcards)["diagnostics"][n]
                for n in ("n_predictive", "n_floor")
            ),
        ),


rule truth:
    input:
        connectome=of_connectome("connectome.h5"),
    output:
        "results/{study}/subjects/{subject}/truth.h5",
    log:
        "results/{study}/subjects/{subject}/logs/truth.log",
    conda:
        "../envs/simulate.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        prior=setting("prior"),
        units=units,
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
        stream=2,
        theta="theta",
        rows=place,
