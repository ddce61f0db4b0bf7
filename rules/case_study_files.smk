# The case studies of the paper, all from one command: `snakemake case_studies --config scale=paper`.
from vbiflow.case_studies import CASE_STUDIES, choices
from vbiflow.reading import suggest


def case_studies():
    """The case studies by name@scale, as config.yaml lists them.

    Without @ they take its scale, with nothing behind it they are as their files have them.
    """
    names = [
        name.removesuffix("@") if "@" in name else f"{name}@{CONFIG['scale']}"
        for name in CONFIG["case_studies"] or CASE_STUDIES
    ]
    for name in names:
        stem = name.partition("@")[0]
        if stem not in CASE_STUDIES:
            raise WorkflowError(
                f"case_studies: unknown {stem!r}; choose from {', '.join(CASE_STUDIES)}{suggest(stem, CASE_STUDIES)}"
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
            "calibration": study.path(estimator, "diagnostics.h5"),
            "features_report": study.path(estimator, "features_report.json"),
            "prior": study.path(estimator, "prior.h5"),
            "features": study.path(estimator, "features.h5"),
            "samples": [
                study.subject_path(one, "samples.h5") for one in study.subjects
            ],
            **asked_files(study, estimator),
            "n_simulations": study.n_simulations,
            "settings": study.settings,
            "choices": choices(study_text(name), name.partition("@")[2]),
            "folders": [
                *(study.subject_path(one, "figures") for one in study.subjects),
                *([f"results/{name}/figures"] if len(study.subjects) > 1 else []),
                study.path(estimator, "figures"),
            ],
        }
    return found


def study_text(name):
    """The file of a study, whose comments say where the paper is silent and what was chosen."""
    stem = name.partition("@")[0]
    return user_path(f"config/studies/{stem}.yaml").read_text(encoding="utf-8")


def asked_files(study, estimator):
    """Files of the diagnostics that a study may leave out, "" for those that it does."""
    files = {
        "sensitivity": [
            study.subject_path(one, "sensitivity.h5") for one in study.subjects
        ],
        "baselines": study.path(estimator, "baselines.json"),
        "learning_curve": study.path(estimator, "learning_curve.h5"),
    }
    return {
        key: path if study["diagnostics"][key] else "" for key, path in files.items()
    }


def case_inputs(wildcards):
    """Input function: all that the page of the case studies is made from, and their own pages."""
    files = case_files(wildcards)
    paths = [f"results/{name}/report.html" for name in files]
    for one in files.values():
        for key, found in one.items():
            if key not in ("n_simulations", "settings", "choices"):
                paths += [found] if isinstance(found, str) else found
    return [path for path in paths if path]
