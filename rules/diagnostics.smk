rule calibrate:
    input:
        prior="results/{study}/{connectome}/prior.h5",
        features="results/{study}/{connectome}/features.h5",
        posterior="results/{study}/{connectome}/posterior.pt",
    output:
        diagnostics="results/{study}/{connectome}/diagnostics.h5",
        verdict="results/{study}/{connectome}/diagnostics.json",
    log:
        "results/{study}/{connectome}/logs/calibrate.log",
    benchmark:
        "results/{study}/{connectome}/benchmarks/calibrate.tsv"
    conda:
        "../envs/infer.yaml"
    threads: amount("calibrate", "threads", 1)
    resources:
        mem_mb=amount("calibrate", "mem_mb", 3000),
        runtime=amount("calibrate", "runtime", 120),
    params:
        inference=setting("inference"),
        diagnostics=checks,
        seed=setting("seed"),
        code=code("scripts/calibrate.py"),
    script:
        "../scripts/calibrate.py"


rule check:
    input:
        features=of_connectome("features.h5"),
        diagnostics=of_connectome("diagnostics.json"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        lead_field=projected(of_connectome("lead_field.h5")),
        simulations="results/{study}/subjects/{subject}/predictive/simulations.h5",
        predictive="results/{study}/subjects/{subject}/predictive/features.h5",
    output:
        predictive="results/{study}/subjects/{subject}/predictive.h5",
        verdict="results/{study}/subjects/{subject}/verdict.json",
    log:
        "results/{study}/subjects/{subject}/logs/check.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        features=setting("features"),
        preparation=setting("preparation"),
        sensors=lambda wildcards: study_of(wildcards).sensors,
        signal=signal,
        deterministic=lambda wildcards: study_of(wildcards).deterministic,
        diagnostics=checks,
        seed=setting("seed"),
        code=code("scripts/check.py"),
    script:
        "../scripts/check.py"
