rule prior:
    input:
        connectome="results/{study}/{connectome}/connectome.h5",
    output:
        "results/{study}/{connectome}/prior.h5",
    log:
        "results/{study}/{connectome}/logs/prior.log",
    conda:
        "../envs/simulate.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        prior=setting("prior"),
        units=units,
        seed=setting("seed"),
        n_simulations=lambda wildcards: study_of(wildcards).n_simulations,
        code=code("scripts/prior.py"),
    script:
        "../scripts/prior.py"
