from vbiflow.figures.table import (
    FIGURES,
    PAGE,
    captions,
    check_table,
    figure_inputs,
    figure_parameters,
    wanted_figures,
)

try:
    check_table()
except ValueError as error:
    raise WorkflowError(str(error)) from None
config["captions"] = captions()  # what the one caption of a folder of figures quotes


def figures_of(scope):
    """Params of a job that draws all figures of a scope: the figures, what they take from the study, and their code."""

    def owned(of):
        return lambda wildcards: of(scope, *study_and_owner(wildcards))

    return {
        "figures": lambda wildcards: {
            name: figure.plain()
            for name, figure in owned(wanted_figures)(wildcards).items()
        },
        "parameters": owned(figure_parameters),
        "reads_notes": scope in ("cohort", "amortisation"),
        "code": lambda wildcards: code_hash(
            "scripts/figures.py",
            beside=sorted(
                {figure.file for figure in owned(wanted_figures)(wildcards).values()}
            ),
        ),
    }


def study_and_owner(wildcards):
    """The study that figures are drawn from, and whose they are: a subject's, an estimator's, or studies compared."""
    if "studies" in wildcards.keys():
        return study_named(wildcards.studies.split("+")[0]), wildcards.studies
    owner = wildcards.get("subject", wildcards.get("connectome", ""))
    return study_of(wildcards), owner


def inputs_of(scope):
    """Input function: files that the figures of a scope are drawn from, by name."""
    return lambda wildcards: figure_inputs(scope, *study_and_owner(wildcards))


def category_of(wildcards):
    """Heading of a figure in Snakemake's report."""
    return FIGURES[wildcards.figure].category


rule figures_subject:
    input:
        unpack(inputs_of("subject")),
    output:
        report(
            directory("results/{study}/subjects/{subject}/figures"),
            patterns=["{figure}.svg"],
            caption="report/figure.rst",
            category="{study}",
            subcategory=category_of,
            labels={"subject": "{subject}", "figure": "{figure}"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figures.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        **figures_of("subject"),
    script:
        "../scripts/figures.py"


use rule figures_subject as figures_estimator with:
    input:
        unpack(inputs_of("estimator")),
    output:
        report(
            directory("results/{study}/{connectome}/figures"),
            patterns=["{figure}.svg"],
            caption="report/figure.rst",
            category="{study}",
            subcategory=category_of,
            labels={"estimator": "{connectome}", "figure": "{figure}"},
        ),
    log:
        "results/{study}/{connectome}/logs/figures.log",
    params:
        **figures_of("estimator"),


use rule figures_subject as figures_cohort with:
    input:
        unpack(inputs_of("cohort")),
    output:
        report(
            directory("results/{study}/figures"),
            patterns=["{figure}.svg"],
            caption="report/figure.rst",
            category="{study}",
            subcategory=category_of,
            labels={"figure": "{figure}"},
        ),
    log:
        "results/{study}/logs/figures.log",
    params:
        **figures_of("cohort"),


use rule figures_subject as figure_comparison with:
    input:
        comparison="results/comparison/{studies}/{subject}.json",
    output:
        report(
            "results/comparison/{studies}/{subject}.svg",
            caption="report/comparison.rst",
            category="Comparison",
            labels={"studies": "{studies}", "subject": "{subject}"},
        ),
    log:
        "results/comparison/{studies}/logs/figure_{subject}.log",
    params:
        **figures_of("comparison"),


use rule figures_subject as figure_amortisation with:
    input:
        people=lambda wildcards: expand(
            "results/amortisation/{studies}/{subject}.json",
            studies=wildcards.studies,
            subject=own_and_other(wildcards)[0].subjects,
        ),
    output:
        report(
            "results/amortisation/{studies}.svg",
            caption="report/amortisation.rst",
            category="Amortisation",
            labels={"studies": "{studies}"},
        ),
    log:
        "results/amortisation/logs/{studies}.log",
    params:
        **figures_of("amortisation"),
