# The case studies of the paper, all from one command: `snakemake case_studies --config scale=paper`.
from vbiflow.case_studies import CASE_STUDIES


def case_studies():
    """The case studies by name@scale, as config.yaml lists them; without @ they take its scale."""
    names = [
        name if "@" in name else f"{name}@{CONFIG['scale']}"
        for name in CONFIG["case_studies"] or CASE_STUDIES
    ]
    unknown = [name for name in names if name.partition("@")[0] not in CASE_STUDIES]
    if unknown:
        raise WorkflowError(
            f"case_studies: unknown {', '.join(unknown)}; choose from {', '.join(CASE_STUDIES)}"
        )
    return names


def case_files(wildcards):
    """Files and settings of each case study, by name@scale."""
    found = {}
    for name in case_studies():
        study = find_study(name)
        estimator = study.estimators[0]
        found[name] = {
            "diagnostics": study.path(estimator, "diagnostics.json"),
            "training": study.path(estimator, "training.json"),
            "features": study.path(estimator, "features.h5"),
            "n_simulations": study.n_simulations,
            "settings": study.settings,
            "folders": [
                *(study.subject_path(one, "figures") for one in study.subjects),
                study.path(estimator, "figures"),
            ],
        }
    return found


def case_inputs(wildcards):
    """Input function: all that the page of the case studies is made from, and their own pages."""
    files = case_files(wildcards)
    each = [
        [one["diagnostics"], one["training"], one["features"], *one["folders"]]
        for one in files.values()
    ]
    return sum(each, []) + [f"results/{name}/report.html" for name in files]
