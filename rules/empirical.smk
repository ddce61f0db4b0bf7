# What people bring comes first: mistakes in it are told before hours of simulation.
rule observe:
    input:
        files(*RECORDING),
        lead_field=if_projected(of_connectome("lead_field.h5")),
        connectome=of_connectome("connectome.h5"),
    output:
        "results/{study}/subjects/{subject}/x_o.h5",
    log:
        "results/{study}/subjects/{subject}/logs/observe.log",
    priority: 100
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=memory("observe"),
        runtime=minutes("observe"),
    params:
        row=columns("kind", "tr", *RECORDING),
        contents=contents(files(*RECORDING)),
        select=setting("connectome", "select"),
        recording=setting("recording"),
        sensors=of_study("sensors"),
        signal=of_study("signal"),
        interval=of_study("interval"),
        duration=setting("simulation", "duration"),
        preparation=setting("preparation"),
        pooled=of_study("pooled"),
        features=setting("features"),
        sources=lambda wildcards: sources_of(CATALOGUE, *files(*RECORDING)(wildcards)),
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
        epochs=lambda wildcards: find_dataset(wildcards.dataset, CATALOGUE).epochs[
            f"{wildcards.file}-epo.fif"
        ],
        code=code("scripts/epochs.py"),
    script:
        "../scripts/epochs.py"


rule lead_field:
    input:
        recording=sensor_recording,
        connectome="results/{study}/{estimator}/connectome.h5",
        head=heads,
    output:
        "results/{study}/{estimator}/lead_field.h5",
    log:
        "results/{study}/{estimator}/logs/lead_field.log",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=memory("lead_field"),
        runtime=minutes("lead_field"),
    params:
        kind=lambda wildcards: row(wildcards)["kind"],
        contents=contents(sensor_recording, heads),
        recording=setting("recording"),
        sensors=of_study("sensors"),
        sources=lambda wildcards: sources_of(
            CATALOGUE,
            *head_files(study_of(wildcards).sensors),
            sensor_recording(wildcards),
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
        mem_mb=memory("save_recording"),
        runtime=minutes("save_recording"),
    params:
        recording=setting("recording"),
        sensors=of_study("sensors"),
        signal=of_study("signal"),
        seed=setting("seed"),
        code=code("scripts/save_recording.py"),
    script:
        "../scripts/save_recording.py"


rule exclusions:
    input:
        connectomes=each_estimator("connectome.h5"),
        recordings=each_subject("x_o.h5"),
    output:
        "results/{study}/exclusions.json",
    log:
        "results/{study}/logs/exclusions.log",
    priority: 100
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=memory("exclusions"),
        runtime=minutes("exclusions"),
    params:
        estimators=of_study("estimators"),
        estimator_of=estimator_by_subject,
        code=code("scripts/exclusions.py"),
    script:
        "../scripts/exclusions.py"
