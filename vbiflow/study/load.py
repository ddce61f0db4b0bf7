"""Load a study by its name, whole and checked."""

from __future__ import annotations

from pathlib import Path

from vbiflow.features.scores import choose_scores
from vbiflow.provenance import ROOT
from vbiflow.study.checks import check_study
from vbiflow.study.settings import known_studies, read_settings, relative_path
from vbiflow.study.study import Study, choose_cohort

__all__ = ["known_studies", "load_study"]


def load_study(name: str, config: Path = ROOT / "config") -> Study:
    """Read ``config/studies/<name>.yaml``; for ``name@scale`` the scale's entries replace the study's.

    Raises
    ------
    ValueError
        In one line, with the file, the key, what was found and what is allowed.
    """
    path, settings = read_settings(name, config)
    study = Study(name, settings, choose_cohort(settings["cohort"], config / "cohorts"))
    try:
        study["diagnostics"]["scores"] = choose_scores(study["diagnostics"]["scores"], study.signal)
        check_study(study)
    except ValueError as error:
        raise ValueError(f"{relative_path(path)}: {error}") from None
    return study
