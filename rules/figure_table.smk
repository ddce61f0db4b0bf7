# What the rules of figures take from the table of figures, which is checked before the DAG is built.
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
        "nodes": lambda wildcards: study_and_owner(wildcards)[0].nodes,
        "reads_exclusions": scope in ("cohort", "amortisation"),
        "code": lambda wildcards: code_hash(
            "scripts/figures.py",
            beside=[
                function
                for name, figure in owned(wanted_figures)(wildcards).items()
                for function in figure.functions(name)
            ],
        ),
    }


def study_and_owner(wildcards):
    """The study that figures are drawn from, and whose they are: a subject's, an estimator's, or studies compared."""
    if "studies" in wildcards.keys():
        return compared_studies(wildcards)[0], wildcards.studies
    owner = wildcards.get("subject", wildcards.get("estimator", ""))
    return study_of(wildcards), owner


def inputs_of(scope):
    """Input function: files that the figures of a scope are drawn from, by name."""
    return lambda wildcards: figure_inputs(scope, *study_and_owner(wildcards))


def category_of(wildcards):
    """Heading of a figure in Snakemake's report."""
    return FIGURES[wildcards.figure].category


def figures_by_owner(wildcards):
    """Param function: names of the figures that a report shows, by kind of their folders and by owner."""
    study = study_of(wildcards)
    estimators = dict.fromkeys(estimator_by_subject(wildcards).values())
    owners = {
        "cohort": ("",) if "subject" not in wildcards.keys() else (),
        "estimator": estimators if estimator_figures(wildcards) else (),
        "subject": subjects_of(wildcards) if subject_figures(wildcards) else (),
    }
    return {
        scope if scope == "cohort" else f"{scope}_figures": {
            owner: list(wanted_figures(scope, study, owner)) for owner in names
        }
        for scope, names in owners.items()
    }
