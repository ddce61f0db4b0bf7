"""Load a study by its name, whole and checked."""

from __future__ import annotations

from pathlib import Path

from vbiflow.study.checks import check_study
from vbiflow.study.schema import one_line
from vbiflow.study.settings import known_studies, read_settings
from vbiflow.study.study import Study, choose_cohort

__all__ = ["known_studies", "load_study"]


def load_study(name: str, config: Path | None = None) -> Study:
    """Read ``config/studies/<name>.yaml``; for ``name@scale`` the scale's entries replace the study's.

    `config` is the folder of studies and cohorts; without, the working directory's and then the workflow's own.

    Raises
    ------
    ValueError
        In one line, with the file, the keys, what was found and what is allowed.
    """
    where, settings = read_settings(name, config)
    try:
        study = Study(name, settings, choose_cohort(settings["cohort"], config))
        check_study(study)
    except ValueError as error:
        raise ValueError(one_line(f"{where}: {error}", 2000)) from None
    except OSError as error:
        raise ValueError(one_line(f"{where}: {error.filename}: {error.strerror}")) from None
    return study
