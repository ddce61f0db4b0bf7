rule tabulate:
    input:
        "results/{study}/cohort.json",
        samples=each_subject("samples.h5"),
        verdict=each_subject("verdict.json"),
        prior=each_connectome("prior.h5"),
    output:
        report(
            "results/{study}/cohort.tsv",
            category="{study}",
            subcategory="Cohort",
            labels={"figure": "table of posteriors"},
        ),
    log:
        "results/{study}/logs/tabulate.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        covariates=lambda wildcards: study_of(wildcards).covariates,
        connectomes=lambda wildcards: study_of(wildcards).connectomes,
        connectome_of=connectome_by_subject,
        code=code("scripts/tabulate.py"),
    script:
        "../scripts/tabulate.py"


rule report:
    input:
        template="vbiflow/figures/report.html.jinja",
        captions=expand(
            "rules/report/{figure}.rst",
            figure=[name for name, one in FIGURES.items() if one.scope in PAGE],
        ),
        admitted="results/{study}/cohort.json",
        connectome=each_connectome("connectome.h5"),
        prior=each_connectome("prior.h5"),
        features=each_connectome("features.h5"),
        training=each_connectome("training.json"),
        diagnostics=each_connectome("diagnostics.json"),
        features_report=each_connectome("features_report.json"),
        connectome_figures=connectome_figures,
        samples=each_subject("samples.h5"),
        verdict=each_subject("verdict.json"),
        subject_figures=subject_figures,
        cohort=of_cohort,
        pages=pages,
    output:
        report(
            "results/{study}/report.html",
            category="{study}",
            labels={"figure": "report"},
        ),
    log:
        "results/{study}/logs/report.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        study=lambda wildcards: wildcards.study,
        alone=lambda wildcards: wildcards.get("subject", ""),
        settings=lambda wildcards: study_of(wildcards).settings,
        model=model_of,
        units=units,
        connectomes=connectome_by_subject,
        code=code("scripts/report.py"),
    script:
        "../scripts/report.py"


use rule report as report_subject with:
    output:
        "results/{study}/subjects/{subject}/report.html",
    log:
        "results/{study}/subjects/{subject}/logs/report.log",
