# What each feature is worth: which vary, which repeat each other, which tell of which parameter; on request, the
# estimator without each of them.
rule features_report:
    input:
        prior="results/{study}/{estimator}/prior.h5",
        features="results/{study}/{estimator}/features.h5",
        x_o=each_recording("x_o.h5"),
    output:
        "results/{study}/{estimator}/features_report.json",
    log:
        "results/{study}/{estimator}/logs/features_report.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("features_report"),
        runtime=minutes("features_report"),
    params:
        features=of_study("groups"),
        inference=of_study("inference_options", "inference"),
        seed=setting("seed"),
        code=code("scripts/features_report.py"),
    script:
        "../scripts/features_report.py"


rule ablate:
    input:
        prior="results/{study}/{estimator}/prior.h5",
        features="results/{study}/{estimator}/features.h5",
        x_o=each_recording("x_o.h5"),
    output:
        "results/{study}/{estimator}/ablation/{feature}.h5",
    log:
        "results/{study}/{estimator}/logs/ablate/{feature}.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/ablate/{feature}.tsv"
    conda:
        "../envs/infer.yaml"
    threads: threads_of("train")
    resources:
        mem_mb=memory("train"),
        runtime=minutes("train"),
    params:
        features=of_study("groups"),
        inference=of_study("inference_options", "inference"),
        seed=setting("seed"),
        code=code("scripts/ablate.py"),
    script:
        "../scripts/ablate.py"


rule ablation:
    input:
        without=lambda wildcards: expand(
            "results/{study}/{estimator}/ablation/{feature}.h5",
            feature=study_of(wildcards).groups,
            allow_missing=True,
        ),
        diagnostics="results/{study}/{estimator}/diagnostics.h5",
        samples=each_recording("samples.h5"),
    output:
        "results/{study}/{estimator}/ablation.json",
    log:
        "results/{study}/{estimator}/logs/ablation.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("ablation"),
        runtime=minutes("ablation"),
    params:
        code=code("scripts/ablation.py"),
    script:
        "../scripts/ablation.py"
