rule sample:
    input:
        posterior=of_estimator("posterior.pt"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        truth=truth,
    output:
        "results/{study}/subjects/{subject}/samples.h5",
    log:
        "results/{study}/subjects/{subject}/logs/sample.log",
    benchmark:
        "results/{study}/subjects/{subject}/benchmarks/sample.tsv"
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("sample"),
        runtime=minutes("sample"),
    params:
        n_samples=setting("posterior", "n_samples"),
        diagnostics=of_diagnostics("n_predictive", "n_floor"),
        seed=setting("seed"),
        code=code("scripts/sample.py"),
    script:
        "../scripts/sample.py"


use rule sample as sample_baseline with:
    input:
        posterior=lambda wildcards: of_first_round(
            f"baselines/{wildcards.baseline}/posterior.pt"
        )(wildcards),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        truth=truth,
    output:
        "results/{study}/subjects/{subject}/baselines/{baseline}.h5",
    log:
        "results/{study}/subjects/{subject}/logs/baselines/{baseline}.log",
    benchmark:
        "results/{study}/subjects/{subject}/benchmarks/baselines/{baseline}.tsv"


rule exact:
    input:
        connectome=of_connectome("connectome.h5"),
        prior=of_estimator("prior.h5"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
    output:
        "results/{study}/subjects/{subject}/exact.h5",
    log:
        "results/{study}/subjects/{subject}/logs/exact.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("exact"),
        runtime=minutes("exact"),
    params:
        signal=of_study("signal"),
        parameters=lambda wildcards: study_of(wildcards).values(*EXACT),
        n_samples=setting("posterior", "n_samples"),
        seed=setting("seed"),
        code=code("scripts/exact.py"),
    script:
        "../scripts/exact.py"
