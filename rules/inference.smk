rule train:
    input:
        prior="results/{study}/{connectome}/prior.h5",
        features="results/{study}/{connectome}/features.h5",
    output:
        posterior="results/{study}/{connectome}/posterior.pt",
        training="results/{study}/{connectome}/training.json",
    log:
        "results/{study}/{connectome}/logs/train.log",
    benchmark:
        "results/{study}/{connectome}/benchmarks/train.tsv"
    conda:
        "../envs/infer.yaml"
    threads: amount("train", "threads", 1)
    resources:
        mem_mb=amount("train", "mem_mb", 3000),
        runtime=amount("train", "runtime", 240),
    params:
        prior=setting("prior"),
        inference=setting("inference"),
        seed=setting("seed"),
        code=code("scripts/train.py"),
    script:
        "../scripts/train.py"
