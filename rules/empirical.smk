# What people bring comes first: mistakes in it are told before hours of simulation.
rule observe:
    input:
        unpack(files(*RECORDING)),
        lead_field=projected(of_connectome("lead_field.h5")),
        connectome=of_connectome("connectome.h5"),
    output:
        "results/{study}/subjects/{subject}/x_o.h5",
    log:
        "results/{study}/subjects/{subject}/logs/observe.log",
    priority: 100
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=amount("observe", "mem_mb", 2000),
        runtime=amount("observe", "runtime", 30),
    params:
        row=columns("kind", "tr", *RECORDING),
        select=lambda wildcards: study_of(wildcards)["connectome"]["select"],
        recording=setting("recording"),
        sensors=lambda wildcards: study_of(wildcards).sensors,
        signal=signal,
        interval=lambda wildcards: study_of(wildcards).interval,
        duration=lambda wildcards: study_of(wildcards)["simulation"]["duration"],
        preparation=setting("preparation"),
        pooled=lambda wildcards: study_of(wildcards).pooled,
        features=setting("features"),
        sources=lambda wildcards: sources_of(*files(*RECORDING)(wildcards).values()),
        code=code("scripts/observe.py"),
    script:
        "../scripts/observe.py"


rule epochs:
    input:
        "resources/data/{dataset}/{file}.ts",
    output:
        "resources/data/{dataset}/{file}-epo.fif",
    log:
        "resources/data/{dataset}/logs/epochs/{file}.log",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        epochs=lambda wildcards: find(wildcards.dataset, CATALOGUE).epochs[
            f"{wildcards.file}-epo.fif"
        ],
        code=code("scripts/epochs.py"),
    script:
        "../scripts/epochs.py"


rule lead_field:
    input:
        unpack(heard),
        connectome="results/{study}/{connectome}/connectome.h5",
        head=lambda wildcards: head_files(study_of(wildcards).sensors),
    output:
        "results/{study}/{connectome}/lead_field.h5",
    log:
        "results/{study}/{connectome}/logs/lead_field.log",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=amount("lead_field", "mem_mb", 3000),
        runtime=amount("lead_field", "runtime", 30),
    params:
        kind=lambda wildcards: row(wildcards)["kind"],
        recording=setting("recording"),
        sensors=lambda wildcards: study_of(wildcards).sensors,
        sources=lambda wildcards: sources_of(
            *head_files(study_of(wildcards).sensors), *heard(wildcards).values()
        ),
        code=code("scripts/lead_field.py"),
    script:
        "../scripts/lead_field.py"


rule save_recording:
    input:
        recording="results/{study}/subjects/{subject}/recording.h5",
        lead_field=of_connectome("lead_field.h5"),
    output:
        "results/{study}/subjects/{subject}/recording_raw.fif",
    log:
        "results/{study}/subjects/{subject}/logs/save_recording.log",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        recording=setting("recording"),
        sensors=lambda wildcards: study_of(wildcards).sensors,
        signal=signal,
        seed=setting("seed"),
        code=code("scripts/save_recording.py"),
    script:
        "../scripts/save_recording.py"


rule admit:
    input:
        connectomes=each_connectome("connectome.h5"),
        recordings=each_subject("x_o.h5"),
    output:
        "results/{study}/cohort.json",
    log:
        "results/{study}/logs/admit.log",
    priority: 100
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        connectomes=lambda wildcards: study_of(wildcards).connectomes,
        connectome_of=connectome_by_subject,
        code=code("scripts/admit.py"),
    script:
        "../scripts/admit.py"
