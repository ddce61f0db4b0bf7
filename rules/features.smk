FEATURES = {
    "features": setting("features"),
    "preparation": setting("preparation"),
    "sensors": of_study("sensors"),
    "signal": of_study("signal"),
    "discrepancy": setting("discrepancy"),
    "seed": setting("seed"),
}


rule features:
    input:
        lead_field=if_projected(
            lambda wildcards: f"results/{wildcards.study}/{wildcards.estimator}/lead_field.h5"
        ),
        connectome="results/{study}/{estimator}/connectome.h5",
        simulations="results/{study}/{estimator}/simulations/{shard}.h5",
    output:
        "results/{study}/{estimator}/features/{shard}.h5",
    log:
        "results/{study}/{estimator}/logs/features/{shard}.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/features/{shard}.tsv"
    conda:
        "../envs/empirical.yaml"
    threads: threads_of("features")
    resources:
        mem_mb=memory("features"),
        runtime=minutes("features"),
    params:
        **FEATURES,
        stream=int(Stream.PRIOR),
        code=code("scripts/features.py"),
    script:
        "../scripts/features.py"


use rule features as features_predictive with:
    input:
        lead_field=if_projected(of_connectome("lead_field.h5")),
        connectome=of_connectome("connectome.h5"),
        simulations="results/{study}/subjects/{subject}/predictive/simulations.h5",
    output:
        "results/{study}/subjects/{subject}/predictive/features.h5",
    log:
        "results/{study}/subjects/{subject}/logs/features_predictive.log",
    benchmark:
        "results/{study}/subjects/{subject}/benchmarks/features_predictive.tsv"
    params:
        **FEATURES,
        stream=int(Stream.PREDICTIVE),
        code=code("scripts/features.py"),


rule gather:
    input:
        shards("results/{study}/{estimator}"),
    output:
        "results/{study}/{estimator}/features.h5",
    log:
        "results/{study}/{estimator}/logs/gather.log",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=memory("gather"),
        runtime=minutes("gather"),
    params:
        n_simulations=of_study("n_simulations"),
        code=code("scripts/gather.py"),
    script:
        "../scripts/gather.py"
