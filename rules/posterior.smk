rule sample:
    input:
        posterior=of_connectome("posterior.pt"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        truth=truth,
    output:
        "results/{study}/subjects/{subject}/samples.h5",
    log:
        "results/{study}/subjects/{subject}/logs/sample.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        n_samples=lambda wildcards: study_of(wildcards)["posterior"]["n_samples"],
        diagnostics=checks,
        seed=setting("seed"),
        code=code("scripts/sample.py"),
    script:
        "../scripts/sample.py"
