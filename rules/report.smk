rule tabulate:
    input:
        "results/{study}/exclusions.json",
        samples=each_subject("samples.h5"),
        verdict=each_subject("verdict.json"),
        prior=each_estimator("prior.h5"),
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
        mem_mb=memory("tabulate"),
        runtime=minutes("tabulate"),
    params:
        covariates=of_study("covariates"),
        estimators=of_study("estimators"),
        estimator_of=estimator_by_subject,
        code=code("scripts/tabulate.py"),
    script:
        "../scripts/tabulate.py"


rule report:
    input:
        snakefile=workflow_path("Snakefile"),
        template=workflow_path("vbiflow/figures/report.html.jinja"),
        captions=expand(
            workflow_path("rules/report/{figure}.rst"),
            figure=[name for name, one in FIGURES.items() if one.scope in PAGE],
        ),
        exclusions="results/{study}/exclusions.json",
        connectome=each_estimator("connectome.h5"),
        prior=each_estimator("prior.h5"),
        features=each_estimator("features.h5"),
        posterior=each_estimator("posterior.pt"),
        training=each_estimator("training.json"),
        diagnostics=each_estimator("diagnostics.json"),
        features_report=each_estimator("features_report.json"),
        estimator_figures=estimator_figures,
        x_o=each_subject("x_o.h5"),
        samples=each_subject("samples.h5"),
        verdict=each_subject("verdict.json"),
        subject_figures=subject_figures,
        cohort=of_cohort,
        pages=pages,
    output:
        report=report(
            "results/{study}/report.html",
            category="{study}",
            labels={"figure": "report"},
        ),
        provenance="results/{study}/provenance.json",
        crate="results/{study}/ro-crate-metadata.json",
        workflow="results/{study}/workflow/Snakefile",
    log:
        "results/{study}/logs/report.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory("report"),
        runtime=minutes("report"),
    params:
        study=lambda wildcards: wildcards.study,
        alone=lambda wildcards: wildcards.get("subject", ""),
        settings=of_study("reported", "settings"),
        model=of_study("model", "model.title"),
        nodes=of_study("nodes"),
        estimator_of=estimator_by_subject,
        figures=figures_by_owner,
        sources=lambda wildcards: input_files(study_of(wildcards)),
        code=code("scripts/report.py"),
    script:
        "../scripts/report.py"


use rule report as report_subject with:
    output:
        "results/{study}/subjects/{subject}/report.html",
    log:
        "results/{study}/subjects/{subject}/logs/report.log",


# What a study would cost, before it runs: snakemake results/<study>/plan.txt
rule plan:
    output:
        "results/{study}/plan.txt",
    log:
        "results/{study}/logs/plan.log",
    conda:
        "../envs/plan.yaml"
    resources:
        mem_mb=memory("plan"),
        runtime=minutes("plan"),
    params:
        settings=of_study("reported", "settings"),
        jobs=lambda wildcards: planned_jobs(wildcards.study),
        code=code("scripts/plan.py"),
    script:
        "../scripts/plan.py"
