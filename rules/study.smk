# What the rules know: studies checked before the DAG is built, wildcards, content hashes of code, resources.
import io
import os
import shutil
import sys
import tarfile
from functools import cache
from pathlib import Path

from snakemake.sourcecache import HostingProviderFile


def workflow_root(rules):
    """The workflow's own folder. Of a hosted repository, as in github(...), Snakemake fetches rules and scripts alone:
    library, schemas and templates are copied from its clone, to where a moved folder and the next version find them.
    """
    if not isinstance(rules, HostingProviderFile):
        return Path(rules.get_path_or_uri(secret_free=True)).parent
    rules.fetch_if_required()
    repository = rules.hosted_repo.repo
    commit = repository.commit(rules.ref).hexsha
    root = Path(".snakemake/vbiflow").resolve()
    made_of = root / ".commit"
    if not made_of.is_file() or made_of.read_text() != commit:
        shutil.rmtree(root, ignore_errors=True)
        content = io.BytesIO()
        repository.archive(content, commit)
        content.seek(0)
        with tarfile.open(fileobj=content) as archive:
            archive.extractall(root, filter="data")
        made_of.write_text(commit)
    return root


LIBRARY = workflow_root(workflow.current_basedir)
if not (LIBRARY / "vbiflow").is_dir():
    raise SystemExit(
        f"{LIBRARY}: no folder vbiflow, the library of the workflow, beside its rules; name a whole clone in the module, as "
        'in snakefile: "<clone>/Snakefile", or a repository, as in github("<owner>/vbiflow", path="Snakefile", tag="<tag>")'
    )
sys.path.insert(0, str(LIBRARY))  # before one that the environment knows

from snakemake.exceptions import WorkflowError

from vbiflow.arrays import is_table
from vbiflow.contents import content_digest
from vbiflow.datasets import (
    DATA,
    find_dataset,
    find_origin,
    load_catalogue,
    parts_of,
    sources_of,
)
from vbiflow.dependencies import code_hash
from vbiflow.diagnostic_options import EXACT, N_TRANSFER
from vbiflow.empirical.cohort import FILES
from vbiflow.empirical.sensor_options import head_files
from vbiflow.places import name_library, user_path, workflow_path
from vbiflow.provenance import settings_digest
from vbiflow.registries import cohort_members, members_of
from vbiflow.streams import Stream, round_stream
from vbiflow.study import load_config, load_study
from vbiflow.study.demand import demand
from vbiflow.study.settings import asked_studies, device_of, kept_studies
from vbiflow.study.topology import amortisation_paths

name_library()


wildcard_constraints:
    study=r"(?!case_studies\b)[\w-]+(@[\w-]+)?",
    estimator=r"[\w.-]+",
    subject=r"[\w-]+",
    shard=r"shard-\d+-\d+",
    round=r"\d+",
    feature=r"\w+",
    baseline=r"\w+",
    dataset=r"[\w-]+",
    studies=r"[\w-]+(@[\w-]+)?(\+[\w-]+(@[\w-]+)?)+",


@cache
def find_study(name):
    """The study of that name, read when a job or a target first asks for it."""
    try:
        study = load_study(name)
    except ValueError as error:
        raise WorkflowError(str(error)) from None
    JOBS["settings"][name] = digests_of(study)
    return study


try:
    CONFIG = load_config(user_path("config/config.yaml"), config)
    CATALOGUE = load_catalogue()
except ValueError as error:
    raise SystemExit(str(error)) from None


GIVEN = bool(config)
# What scripts are told beside their params, which, unlike a change of these, makes nothing run again: where results lie
# (a module's replace_prefix may say so), the settings that each rule passes on, and their digests by study.
JOBS = {
    "results": workflow.modifier.path_modifier.replace_prefix("results/"),
    "rules": {},
    "settings": {},
}
config = {**config, "vbiflow": JOBS}

# Where a profile gives a GPU to rules that simulate, their code and environment are those of the GPU's engine.
DEVICE = device_of(workflow.resource_settings.overwrite_resources)
KEPT = "|".join(kept_studies()) or "(?!)"


def dated_folders():
    """Folders of files that Snakemake compares by dates: data of the catalogue, results of the studies that are named, or all."""
    names = asked_studies(sys.argv[1:]) or [""]
    return [DATA, *(f"{JOBS['results']}{name}" for name in names)]


def study_of(wildcards):
    """The study that a job belongs to."""
    return find_study(wildcards.study)


def study_param(name, value):
    """Param function: `value` of the job's study, which follows from the setting `name`."""

    def param(wildcards):
        return value(study_of(wildcards))

    param.settings = {name: value}
    return param


def digests_of(study):
    """Digest of each setting of a study that rules pass on, so that jobs know results that were made with others."""
    values = {}
    for one in workflow.rules:
        own = [getattr(param, "settings", {}) for param in one.params]
        JOBS["rules"][one.name] = [name for settings in own for name in settings]
        for settings in own:
            values |= settings
    return {name: settings_digest(value(study)) for name, value in values.items()}


def setting(section, key=None):
    """Param function: one block of the job's study, or one entry of it, so that a change remakes only what it touches."""

    def value(study):
        return study[section] if key is None else study[section][key]

    return study_param(f"{section}.{key}" if key else section, value)


def of_study(name, setting=None):
    """Param function: what follows from a setting of the job's study, an attribute of `Study`."""
    return study_param(setting or name, lambda study: getattr(study, name))


def of_diagnostics(*keys):
    """Param function: entries of the study's diagnostics."""

    def param(wildcards):
        return {key: study_of(wildcards)["diagnostics"][key] for key in keys}

    param.settings = {
        f"diagnostics.{key}": lambda study, key=key: study["diagnostics"][key]
        for key in keys
    }
    return param


def compared_studies(wildcards):
    """The studies that a job compares."""
    return [find_study(name) for name in wildcards.studies.split("+")]


def amortisation_files(wildcards):
    """Input function: a person's own estimator, connectome and simulations, and the estimator from other people."""
    try:
        own, other = compared_studies(wildcards)
        return amortisation_paths(own, other, wildcards.subject)
    except ValueError as error:
        raise WorkflowError(
            f"results/amortisation/{wildcards.studies}: takes two studies, the first with an estimator for each person: {error}"
        ) from None


def row(wildcards):
    """Cohort row of the job's subject, or of the person whose connectome it is."""
    person = wildcards.get("subject", wildcards.get("estimator"))
    try:
        return study_of(wildcards).row(person)
    except ValueError as error:
        raise WorkflowError(str(error)) from None


def truth(wildcards):
    """Input function: the parameters behind the job's subject, if its recording is simulated."""
    study, subject = study_of(wildcards), wildcards.subject
    return study.subject_path(subject, "truth.h5") if subject in study.simulated else []


def subjects_of(wildcards):
    """The subjects of the job's study, or the one that it is about."""
    alone = wildcards.get("subject")
    return [alone] if alone else study_of(wildcards).subjects


def estimator_by_subject(wildcards):
    """Folder of the estimator of each subject, with the connectome that it learned on."""
    study = study_of(wildcards)
    return {name: study.estimator_of(name) for name in subjects_of(wildcards)}


def of_connectome(name):
    """Input function: the file `name` of the person whose connectome stands for the job's subject."""

    def path(wildcards):
        study = study_of(wildcards)
        return study.path(study.network_of(wildcards.subject), name)

    return path


def shards(folder):
    """Input function: features of the shards in a folder, those that are there and new ones for the rows between."""

    def paths(wildcards):
        place = folder.format(**wildcards)
        return [
            f"{place}/features/{name}.h5" for name in shards_of(wildcards.study, place)
        ]

    return paths


@cache
def shards_of(name, folder):
    """Shards in a folder, features before series that were left or kept; the same as long as Snakemake runs."""
    made = [
        path.stem
        for part in ("features", "simulations")
        for path in sorted(Path(result_path(folder), part).glob("shard-*.h5"))
    ]
    return find_study(name).shards_beside(made)


def of_round(name, number):
    """Input function: the file `name` of one round of the job's subject; its `number` follows from wildcards and study."""

    def path(wildcards):
        study = study_of(wildcards)
        return study.round_path(wildcards.subject, number(wildcards, study), name)

    return path


def of_estimator(name):
    """Input function: the file `name` of the estimator that is applied to the job's subject, of its last round."""
    return of_round(name, lambda wildcards, study: study.n_rounds)


def of_first_round(name):
    """Input function: the file `name` of the estimator whose simulations come from the whole prior."""
    return of_round(name, lambda wildcards, study: 1)


def of_each_estimator(name):
    """Input function: the file `name` of the job's estimator, then of each that the study sets beside it."""

    def paths(wildcards):
        study = study_of(wildcards)
        beside = [f"baselines/{one}/" for one in study["diagnostics"]["estimators"]]
        return [
            study.path(wildcards.estimator, f"{part}{name}") for part in ("", *beside)
        ]

    return paths


def baseline_options(wildcards):
    """Param function: the study's block `inference`, with another estimator."""
    return study_of(wildcards).inference_options | {"estimator": wildcards.baseline}


baseline_options.settings = {"inference": lambda study: study.inference_options}


def of_round_before(name):
    """Input function: the file `name` of the round before the job's."""
    return of_round(name, lambda wildcards, study: int(wildcards.round) - 1)


def of_rounds_before(name):
    """Input function: the files `name` of all rounds before the job's."""
    return lambda wildcards: [
        study_of(wildcards).round_path(wildcards.subject, number, name)
        for number in range(1, int(wildcards.round))
    ]


def of_later_rounds(name):
    """Input function: the files `name` of all rounds but the first."""
    return lambda wildcards: [
        study_of(wildcards).round_path(wildcards.subject, number, name)
        for number in range(2, study_of(wildcards).n_rounds + 1)
    ]


def members_of_pool(wildcards):
    """Input function: the connectomes whose mean stands for an estimator's people."""
    return study_of(wildcards).member_paths(wildcards.estimator)


def pool_of(wildcards):
    """Input function: the connectomes that an estimator draws from, none if it has one of its own."""
    return study_of(wildcards).pool_paths(wildcards.estimator)


def code(script, compared=False, simulates=False):
    """Param function: content hash of a script and of all that it depends on, of registries what the job's study uses.

    `compared` says whether the script looks at all estimators of the study, `simulates` whether it runs on the device that
    the profile chooses; a job of one that stands beside the study's own looks at that one.
    """

    # of a param that takes resources Snakemake keeps no record, and a change of it runs nothing again
    def value(wildcards):
        if "study" not in wildcards.keys():
            return code_hash(script)
        person = wildcards.get("subject")
        formats, kinds = cohort_use(wildcards.study)
        if "estimator" in wildcards.keys():
            formats, _ = cohort_use(wildcards.study, wildcards.estimator)
        elif person:
            _, kinds = cohort_use(wildcards.study, person)
        names = study_of(wildcards).estimator_names
        own = [wildcards.get("baseline", names[0])]
        return shared_code_hash(
            script,
            wildcards.study,
            formats,
            kinds,
            tuple(names if compared else own),
            DEVICE if simulates else "",
        )

    return value


@cache
def cohort_use(name, person=None):
    """Formats of the connectomes and kinds of the recordings of a study's cohort, or of one person of it."""
    cohort = find_study(name).cohort
    return cohort_members([cohort[person]] if person in cohort else cohort.values())


@cache
def shared_code_hash(script, name, *uses):
    """Content hash for all jobs of a script that use the same members of registries."""
    study = find_study(name)
    return code_hash(script, members_of(study, *uses), beside=study.own_files)


def threads_of(rule):
    """Threads of a rule, as the study says, or 1."""
    return (
        lambda wildcards: study_of(wildcards)["resources"]
        .get(rule, {})
        .get("threads", 1)
    )


def memory(rule):
    """Resource function: mem_mb of a rule as the study says, or by its size; more at each attempt."""
    return lambda wildcards, attempt: attempt * need_of(rule, "mem_mb", wildcards)


def minutes(rule, times=1):
    """Resource function: runtime [min] of a rule as the study says, or by its size; more at each attempt."""
    return lambda wildcards, attempt: (
        times * attempt * need_of(rule, "runtime", wildcards)
    )


def need_of(rule, resource, wildcards):
    """The study's own figure of a rule, or what its size demands."""
    study = (
        compared_studies(wildcards)[0]
        if "studies" in wildcards.keys()
        else study_of(wildcards)
    )
    own = study["resources"].get(rule, {})
    return (
        own[resource]
        if resource in own
        else estimated_demand(study.name, rule)[resource]
    )


@cache
def estimated_demand(name, rule):
    """Memory and time of a rule by the size of a study."""
    return demand(find_study(name), rule, DEVICE)


@cache
def planned_jobs(name):
    """Jobs by rule that a study takes, as a dry run tells."""
    from vbiflow.study.plan import count_jobs

    try:
        return count_jobs(find_study(name))
    except ValueError as error:
        raise WorkflowError(str(error)) from None


def source_of(wildcards):
    """The catalogue's pins of a dataset, without its list of files."""
    dataset = find_dataset(wildcards.dataset, CATALOGUE)
    return {
        "package": dataset.package,
        "version": dataset.version,
        "sha256": dataset.sha256,
    }


def file_of(path):
    """The file of a cohort entry such as file.mat::key."""
    return str(path).partition("::")[0]


CONNECTOME = (
    "weights",
    "tract_lengths",
    "regions",
    "parcellation",
    "streamline_weights",
)
RECORDING = ("recording", "regions", "atlas", "confounds")


def input_files(study):
    """All files that people of a study bring, and its own settings."""
    entries = [row[name] for row in study.cohort.values() for name in FILES]
    stem = study.name.partition("@")[0]
    own = [str(user_path(f"config/studies/{stem}.yaml")), *study.own_files]
    return sorted({file_of(entry) for entry in entries if entry}) + own


def columns(*names):
    """Param function: some columns of the job's cohort row, so that the others remake nothing."""
    return lambda wildcards: {name: result_path(row(wildcards)[name]) for name in names}


def result_path(entry):
    """A cohort's entry, of a result where results lie: in params Snakemake puts none of a module's prefixes."""
    made = entry.startswith("results/")
    return entry.replace("results/", JOBS["results"], 1) if made else entry


def files(*names):
    """Input function: the files that some columns of the job's cohort row name."""
    return lambda wildcards: as_input(row(wildcards)[name] for name in names)


def as_input(entries):
    """Files of entries as inputs. Of the user's own the content is a param (`contents`), and the date counts for nothing."""
    paths = [file_of(entry) for entry in entries if entry]
    return [path if is_made(path) else ancient(path) for path in paths]


@cache
def is_made(path):
    """Whether a file is fetched or made by the workflow."""
    return path.startswith("results/") or bool(find_origin(path, CATALOGUE))


def contents(*entries):
    """Param function: a digest of the content of each file that input functions `entries` name, but of those made here."""

    def param(wildcards):
        named = [found for files in entries for found in as_list(files(wildcards))]
        return {
            str(path): content_of(path)
            for path in named
            if not path.startswith("results/")
        }

    return param


def as_list(found):
    """What an input function gives, as a list."""
    return [found] if isinstance(found, str) else found


@cache
def content_of(path):
    """Digest of a file's content; of what the catalogue pins that pin, and what is found in its place."""
    found = find_origin(path, CATALOGUE)
    if found is None:
        return content_digest(path)
    dataset, name = found
    pinned = dataset.files[name].sha256 if name in dataset.files else ""
    there = content_digest(path) if pinned else "missing"
    return pinned if there in ("missing", pinned) else f"{pinned}, found {there}"


def maps(wildcards):
    """Files of the regional maps of the job's connectome, by name."""
    return study_of(wildcards).maps(wildcards.estimator)


def map_files(wildcards):
    """Input function: the files of the regional maps of the job's connectome."""
    return as_input(maps(wildcards).values())


def sensor_recording(wildcards):
    """Input function: the recording whose sensors a lead field leads to; none if it is simulated through it."""
    study, entry = study_of(wildcards), row(wildcards)["recording"]
    simulated = wildcards.estimator in study.simulated
    return [] if simulated or is_table(entry) else as_input([entry])[0]


def heads(wildcards):
    """Input function: the files of the head that a lead field is made of."""
    return as_input(head_files(study_of(wildcards).sensors))


def if_projected(files):
    """Input function: what `files` gives where simulated regions are projected to sensors."""
    return lambda wildcards: files(wildcards) if study_of(wildcards).projected else []


def if_diagnosed(key, path):
    """Input function: a file that the study's diagnostics have where `key` asks for it."""
    return lambda wildcards: path if study_of(wildcards)["diagnostics"][key] else []


def if_controlled(path):
    """Input function: the file of a person's negative controls, where the study has any and there is a recording of which
    they can be made: series or spectra of a real brain.
    """
    return lambda wildcards: (
        path
        if study_of(wildcards)["diagnostics"]["controls"]
        and row(wildcards)["kind"] not in ("simulated", "features")
        else []
    )


def each_estimator(*names):
    """Input function: files of the estimators of the study's subjects."""
    return lambda wildcards: expand(
        "results/{study}/{estimator}/{name}",
        study=wildcards.study,
        estimator=dict.fromkeys(estimator_by_subject(wildcards).values()),
        name=names,
    )


def each_subject(*names):
    """Input function: files of the study's subjects."""
    return lambda wildcards: expand(
        "results/{study}/subjects/{subject}/{name}",
        study=wildcards.study,
        subject=subjects_of(wildcards),
        name=names,
    )


def subject_figures(wildcards):
    """Input function: figures of the subjects, unless they have pages of their own."""
    return [] if has_pages(wildcards) else each_subject("figures")(wildcards)


def has_pages(wildcards):
    """Whether a job makes the report of a cohort whose subjects have pages of their own."""
    return "subject" not in wildcards.keys() and study_of(wildcards).paged


def estimator_figures(wildcards):
    """Input function: figures of the estimators, unless they stand on the subjects' pages."""
    alone = study_of(wildcards)["connectome"]["per"] == "subject"
    return (
        [] if has_pages(wildcards) and alone else each_estimator("figures")(wildcards)
    )


def pages(wildcards):
    """Input function: pages of the subjects, if they have such."""
    return each_subject("report.html")(wildcards) if has_pages(wildcards) else []


def of_cohort(wildcards):
    """Input function: what the report shows of a cohort of several subjects."""
    files = [
        "cohort.tsv",
        *(["figures"] if len(study_of(wildcards).subjects) > 1 else []),
    ]
    return (
        [f"results/{wildcards.study}/{file}" for file in files]
        if "subject" not in wildcards.keys()
        else []
    )


def other_recordings(name):
    """Input function: the file `name` of up to five other people of the cohort, to grade a model by."""

    def paths(wildcards):
        study = study_of(wildcards)
        people = [one for one in study.subjects if one not in study.simulated]
        others = [one for one in people if one != wildcards.subject][:5]
        return expand(
            "results/{study}/subjects/{subject}/{name}",
            study=wildcards.study,
            subject=others,
            name=name,
        )

    return paths


def each_recording(name):
    """Input function: the file `name` of every subject to whom the job's estimator is applied."""
    return lambda wildcards: expand(
        "results/{study}/subjects/{subject}/{name}",
        study=wildcards.study,
        subject=study_of(wildcards).subjects_of(wildcards.estimator),
        name=name,
    )


def other_samples(wildcards):
    """Input function: posterior samples of everybody else of the cohort whose recording is real."""
    study = study_of(wildcards)
    return [
        study.subject_path(name, "samples.h5")
        for name in study.subjects
        if name != wildcards.subject and name not in study.simulated
    ]


def each_compared(name):
    """Input function: the file `name` of every subject of every study that a job compares."""
    return lambda wildcards: [
        study.subject_path(subject, name)
        for study in compared_studies(wildcards)
        for subject in study.subjects
    ]


def recorded_rows(study, people):
    """What the cohort's rows of some people say of their recordings."""
    return [
        {name: study.row(one)[name] for name in ("kind", "tr", *RECORDING)}
        for one in people
    ]


def fitted_recordings(wildcards):
    """Param function: whose recordings the weights of the job's connectome are fitted to, and which part; or nothing."""
    study = study_of(wildcards)
    people = study.fitted_to(wildcards.estimator)
    return people and {
        "rows": recorded_rows(study, people),
        "part": study.fitted_part,
        "whose": study.fitted_words(wildcards.estimator),
    }


def noise_recording(wildcards):
    """Param function: the recording whose noise the simulations of the job's connectome have; or nothing."""
    study = study_of(wildcards)
    return study.noise_per_region and {
        "rows": recorded_rows(study, [wildcards.estimator]),
        "part": study["recording"].get("part"),
        "fs": 1000 / study.interval,
    }


def files_of_rows(found):
    """Files of the recordings that a param names."""
    rows = found["rows"] if found else []
    return as_input(row[name] for row in rows for name in RECORDING)


def fitted_files(wildcards):
    """Input function: the recordings that the weights of the job's connectome are fitted to."""
    return files_of_rows(fitted_recordings(wildcards))


def noise_files(wildcards):
    """Input function: the recording whose noise the simulations of the job's connectome have."""
    return files_of_rows(noise_recording(wildcards))


def if_recorded(section):
    """Param function: a block of the study that a connectome depends on where it takes something from recordings."""
    return lambda wildcards: (
        study_of(wildcards)[section]
        if fitted_recordings(wildcards) or noise_recording(wildcards)
        else {}
    )
