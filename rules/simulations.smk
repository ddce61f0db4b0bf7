SIMULATE = {
    "prior": setting("prior"),
    "model": setting("model"),
    "parameters": setting("parameters"),
    "simulation": lambda wildcards: study_of(wildcards).simulation,
    "observation": setting("observation"),
    "seed": setting("seed"),
    "code": code("scripts/simulate.py"),
}


# The profile alone decides the device: `resources: gpu=0` in it turns the 1 below into 0, the CPU kernel.
rule simulate:
    input:
        connectome="results/{study}/{connectome}/connectome.h5",
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
        rows=lambda wildcards: (
            0,
            sum(
                study_of(wildcards)["diagnostics"][n]
                for n in ("n_predictive", "n_floor")
            ),
        ),
