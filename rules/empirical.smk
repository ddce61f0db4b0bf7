rule observe:
    input:
        connectome=of_connectome("connectome.h5"),
        recording=lambda wildcards: file_of(row(wildcards)["recording"]),
        regions=lambda wildcards: file_of(row(wildcards)["regions"]),
    output:
        "results/{study}/subjects/{subject}/x_o.h5",
    log:
        "results/{study}/subjects/{subject}/logs/observe.log",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        row=row,
        select=lambda wildcards: study_of(wildcards)["connectome"]["select"],
        recording=setting("recording"),
        tr=lambda wildcards: study_of(wildcards)["observation"]["bold"]["tr"],
        duration=lambda wildcards: study_of(wildcards)["simulation"]["duration"],
        features=setting("features"),
        sources=lambda wildcards: sources_of(row(wildcards)["recording"]),
        code=code("scripts/observe.py"),
    script:
        "../scripts/observe.py"
