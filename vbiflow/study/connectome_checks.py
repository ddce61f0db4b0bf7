"""What a study says of connectomes, compared with the registries and the people before the DAG is built."""

from __future__ import annotations

from vbiflow.connectome.normalise import parse as parse_steps
from vbiflow.connectome.quality import check_accept
from vbiflow.connectome.streamlines import check_counting
from vbiflow.datasets import load_catalogue
from vbiflow.empirical.cohort import REGIONAL, check_file
from vbiflow.empirical.noise import ABOVE
from vbiflow.maps import RECORDED_NOISE
from vbiflow.study.study import Study
from vbiflow.study.topology import PER

RENAMED = {"cohort": "pooled", "others": "leave_one_out"}
"""Earlier words of connectome.per."""


def check_connectome(study: Study) -> None:
    """Compare what is done to connectomes with the registries."""
    options = study["connectome"]
    check_accept(options["accept"])
    check_counting(**options["streamlines"])
    parse_steps(options["normalise"])


def check_per(study: Study) -> None:
    """Refuse a value of connectome.per that names neither a way to share estimators nor a person."""
    per = study["connectome"]["per"]
    if per in RENAMED:
        raise ValueError(f"connectome.per: {per!r} is now called {RENAMED[per]}; write per: {RENAMED[per]}")
    if per not in PER and per not in study.cohort:
        raise ValueError(
            f"connectome.per: unknown {per!r}; write {', '.join(PER)}, or one of {', '.join(study.subjects)}"
        )


def check_maps(study: Study) -> None:
    """Refuse regional maps whose files are not there."""
    catalogue = load_catalogue()
    for person in dict.fromkeys(map(study.connectome_of, study.subjects)):
        for name, file in study.maps(person).items():
            check_file("connectome.maps", name, file, catalogue)


def check_pool(study: Study) -> None:
    """Refuse a pool of connectomes of fewer than two people, and its options where there is none."""
    options, least = study["connectome"], 3 if study["connectome"]["per"] == "leave_one_out" else 2
    shared = study.pooled or options["per"] == "average"
    if shared and len(study.subjects) < least:
        raise ValueError(f"connectome.per: {options['per']} takes a cohort of {least} or more people")
    if not study.pooled and "pool" in options:
        raise ValueError("connectome.pool is for per: pooled or per: leave_one_out; drop it, or set per")
    own = [name for name, entry in options["maps"].items() if "{participant_id}" in entry]
    if shared and own:
        raise ValueError(
            f"connectome.maps.{own[0]}: a {'pool' if study.pooled else 'mean'} has one map for everybody; "
            "name one file, or set per: subject"
        )
    if study.pooled and study.n_rounds > 1:
        raise ValueError("inference.rounds: rounds need one connectome; set connectome.per: subject")
    if study.pooled and study["diagnostics"]["optimise"]:
        raise ValueError("diagnostics.optimise: point optimisation needs one connectome; set connectome.per: subject")


def check_effective(study: Study) -> None:
    """Refuse weights that are fitted to what the study judges, or to what are no regional series.

    Raises
    ------
    ValueError
        In one line, with the cure.
    """
    options, part = study.effective, study["recording"].get("part")
    if not options:
        return
    where = f"connectome.effective: {{from: {options['from']}}}"
    if study["connectome"]["per"] != "subject":
        raise ValueError(f"{where}: one connectome for several people would know their recordings; set per: subject")
    if study.fitted_part == "first_half" and part != "second_half":
        found = f"part {part}" if part else "the whole recording"
        raise ValueError(
            f"{where}: judged on {found}, weights would know what they are judged on; "
            "write recording: {part: second_half}"
        )
    for name, row in study.cohort.items():
        if row["kind"] not in REGIONAL:
            raise ValueError(f"{where}: takes series of regions ({' or '.join(REGIONAL)}), {name} is {row['kind']}")
    if options["from"] == "others":
        if len(study.subjects) < 2:
            raise ValueError(f"{where}: takes a cohort of two or more people")
        whose: dict[str, str] = {}
        for name, row in study.cohort.items():
            other = whose.setdefault(row["recording"], name)
            if other != name:
                raise ValueError(f"{where}: {other} and {name} have the same recording, {row['recording']}; drop one")


def check_noise_per_region(study: Study) -> None:
    """Refuse noise of each region where no recording of the connectome's person tells it.

    Raises
    ------
    ValueError
        In one line, with the cure.
    """
    if not study.noise_per_region:
        return
    where, band = "observation.noise: {per: region}", study["preparation"].get("bandpass")
    if study["connectome"]["per"] != "subject":
        raise ValueError(f"{where}: comes from a person's own recording; set connectome.per: subject")
    for name, row in study.cohort.items():
        if row["kind"] != "bold":
            raise ValueError(f"{where}: takes recordings of kind bold, {name} is {row['kind']}; leave it out")
    if band and band[1] <= 2 * ABOVE:
        raise ValueError(f"{where}: is read above {ABOVE:g} Hz, which preparation.bandpass takes out; leave one out")
    if RECORDED_NOISE in study["connectome"]["maps"]:
        raise ValueError(f"connectome.maps.{RECORDED_NOISE} is the map that noise per region makes; rename it")
