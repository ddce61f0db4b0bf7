rule observe:
    input:
        unpack(files(*RECORDING)),
        connectome=of_connectome("connectome.h5"),
    output:
        "results/{study}/subjects/{subject}/x_o.h5",
    log:
        "results/{study}/subjects/{subject}/logs/observe.log",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=amount("observe", "mem_mb", 2000),
        runtime=amount("observe", "runtime", 30),
    params:
        row=columns("kind", "tr", *RECORDING),
        select=lambda wildcards: study_of(wildcards)["connectome"]["select"],
        recording=setting("recording"),
        signal=signal,
        interval=lambda wildcards: study_of(wildcards).interval,
        duration=lambda wildcards: study_of(wildcards)["simulation"]["duration"],
        preparation=setting("preparation"),
        features=setting("features"),
        sources=lambda wildcards: sources_of(*files(*RECORDING)(wildcards).values()),
        code=features_code("scripts/observe.py"),
    script:
        "../scripts/observe.py"
