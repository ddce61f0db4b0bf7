# What the rules know: studies checked before the DAG is built, wildcards, content hashes of code, resources.
import sys
from functools import cache

from snakemake.exceptions import WorkflowError

sys.path.insert(0, workflow.basedir)

from vbiflow.arrays import is_table
from vbiflow.dependencies import code_hash
from vbiflow.datasets import find, load_catalogue, origin
from vbiflow.empirical.cohort import SENSOR_KINDS
from vbiflow.empirical.sensor_options import head_files
from vbiflow.models import MODELS
from vbiflow.registries import members_of
from vbiflow.study import known_studies, load_config, load_study


wildcard_constraints:
    study=r"\w+(@\w+)?",
    connectome=r"[\w-]+",
    subject=r"[\w-]+",
    shard=r"shard-\d+",
    round=r"\d+",
    feature=r"\w+",
    dataset=r"[\w-]+",
    studies=r"\w+(@\w+)?(\+\w+(@\w+)?)+",


try:
    CONFIG = load_config(Path("config/config.yaml"))
    CATALOGUE = load_catalogue()
    STUDIES = {name: load_study(name) for name in known_studies()}
    STUDIES |= {name: load_study(name) for name in CONFIG["studies"]}
except ValueError as error:
    raise WorkflowError(str(error)) from None


def study_named(name):
    """The study of that name."""
    if name not in STUDIES:
        raise WorkflowError(f"unknown study {name!r}; choose from {', '.join(STUDIES)}")
    return STUDIES[name]


def study_of(wildcards):
    """The study that a job belongs to."""
    return study_named(wildcards.study)


def own_and_other(wildcards):
    """The two studies whose estimators a job compares: each person's own, and one from other people."""
    studies = [study_named(name) for name in wildcards.studies.split("+")]
    if len(studies) != 2 or studies[0].pooled:
        raise WorkflowError(
            f"{wildcards.studies}: name two studies, the first with an estimator for each person (connectome.per: subject)"
        )
    return studies


def of_both(wildcards):
    """Input function: a person's own estimator, connectome and simulations, and the estimator from other people."""
    own, other = own_and_other(wildcards)
    name = wildcards.subject
    files = {
        key: f"results/{own.name}/{own.estimator_of(name)}/{file}"
        for key, file in {
            "own": "posterior.pt",
            "prior": "prior.h5",
            "features": "features.h5",
            "connectome": "connectome.h5",
        }.items()
    }
    return files | {
        "other": f"results/{other.name}/{other.estimator_of(name)}/posterior.pt",
        "own_samples": f"results/{own.name}/subjects/{name}/samples.h5",
        "other_samples": f"results/{other.name}/subjects/{name}/samples.h5",
    }


def setting(section):
    """Param function: one block of the job's study, so that a change remakes only what it touches."""
    return lambda wildcards: study_of(wildcards)[section]


def of_diagnostics(*keys):
    """Param function: entries of the study's diagnostics."""
    return lambda wildcards: {
        key: study_of(wildcards)["diagnostics"][key] for key in keys
    }


def row(wildcards):
    """Cohort row of the job's subject, or of the person whose connectome it is."""
    name = wildcards.get("subject", wildcards.get("connectome"))
    entries = study_of(wildcards).cohort[name]
    if name not in study_of(wildcards).simulated:
        return entries
    made = "recording_raw.fif" if entries["kind"] in SENSOR_KINDS else "recording.h5"
    path = f"results/{wildcards.study}/subjects/{name}/{made}"
    return entries | {"recording": path}


def place(wildcards):
    """First and one past the last row of a job that simulates the subject alone: its place in the cohort."""
    first = study_of(wildcards).subjects.index(wildcards.subject)
    return first, first + 1


def truth(wildcards):
    """Input function: the parameters behind the job's subject, if its recording is simulated."""
    if wildcards.subject not in study_of(wildcards).simulated:
        return []
    return f"results/{wildcards.study}/subjects/{wildcards.subject}/truth.h5"


def subjects_of(wildcards):
    """The subjects of the job's study, or the one that it is about."""
    alone = wildcards.get("subject")
    return [alone] if alone else study_of(wildcards).subjects


def connectome_by_subject(wildcards):
    """Folder of the estimator of each subject, with the connectome that it learned on."""
    study = study_of(wildcards)
    return {name: study.estimator_of(name) for name in subjects_of(wildcards)}


def of_connectome(name):
    """Input function: the file `name` of the connectome that stands for the job's subject."""
    return lambda wildcards: (
        f"results/{wildcards.study}/{study_of(wildcards).connectome_of(wildcards.subject)}/{name}"
    )


def in_round(wildcards, number, name):
    """The file `name` of the estimator of one round of the job's subject."""
    folder = study_of(wildcards).round_of(wildcards.subject, number)
    return f"results/{wildcards.study}/{folder}/{name}"


def of_estimator(name):
    """Input function: the file `name` of the estimator that is applied to the job's subject, of its last round."""
    return lambda wildcards: in_round(wildcards, study_of(wildcards).n_rounds, name)


def of_first_round(name):
    """Input function: the file `name` of the estimator whose simulations come from the whole prior."""
    return lambda wildcards: in_round(wildcards, 1, name)


def of_round_before(name):
    """Input function: the file `name` of the round before the job's."""
    return lambda wildcards: in_round(wildcards, int(wildcards.round) - 1, name)


def of_rounds_before(name):
    """Input function: the files `name` of all rounds before the job's."""
    return lambda wildcards: [
        in_round(wildcards, number, name) for number in range(1, int(wildcards.round))
    ]


def of_later_rounds(name):
    """Input function: the files `name` of all rounds but the first."""
    return lambda wildcards: [
        in_round(wildcards, number, name)
        for number in range(2, study_of(wildcards).n_rounds + 1)
    ]


def pool_of(wildcards):
    """Input function: the connectomes that an estimator draws from, none if it has one of its own."""
    study = study_of(wildcards)
    return expand(
        "results/{study}/{member}/connectome.h5",
        study=wildcards.study,
        member=study.members(wildcards.connectome) if study.pooled else [],
    )


def pool_options(wildcards):
    """How simulations draw from a pool of connectomes; None where they do not."""
    study = study_of(wildcards)
    return study["connectome"].get("pool", {}) if study.pooled else None


def learning(wildcards):
    """Options of the estimator; the number of rounds, which remakes none of the earlier ones, left out."""
    options = study_of(wildcards)["inference"]
    return {key: value for key, value in options.items() if key != "rounds"}


def code(script, compared=False):
    """Param function: content hash of a script and of all that it depends on, of registries what the job's study uses.

    `compared` says whether the script trains the estimators that the study's own is compared with.
    """

    def value(wildcards, resources):
        name = wildcards.get("study")
        if name is None:
            return code_hash(script)
        cohort = study_of(wildcards).cohort
        alone = cohort.get(wildcards.get("subject"))
        kinds = {row["kind"] for row in ([alone] if alone else cohort.values())}
        gpu = resources.get("gpu")
        device = "" if gpu is None else "cuda" if gpu else "cpu"
        return hashed(script, name, frozenset(kinds), compared, device)

    return value


@cache
def hashed(script, name, kinds, compared, device):
    """Content hash for all jobs of a script that use the same members of registries."""
    study = study_named(name)
    members = members_of(study, kinds, compared, device)
    return code_hash(script, members, beside=study.own_features)


def amount(rule, resource, default):
    """Threads, mem_mb or runtime [min] of a rule: the study's own figure, else `default`."""
    return (
        lambda wildcards: study_of(wildcards)["resources"]
        .get(rule, {})
        .get(resource, default)
    )


def source_of(wildcards):
    """The catalogue's pins of a dataset, without its list of files."""
    dataset = find(wildcards.dataset, CATALOGUE)
    return {
        "package": dataset.package,
        "version": dataset.version,
        "sha256": dataset.sha256,
    }


def file_of(path):
    """The file of a cohort entry such as file.mat::key."""
    return str(path).partition("::")[0]


def sources_of(*paths):
    """Name, licence, notice and citation of the catalogue's datasets behind files."""
    origins = [origin(path, CATALOGUE) for path in paths if path]
    datasets = {dataset.name: dataset for dataset, _ in filter(None, origins)}
    return [
        {
            "name": name,
            "licence": dataset.licence,
            "notice": dataset.notice,
            "citation": dataset.citation,
        }
        for name, dataset in sorted(datasets.items())
    ]


CONNECTOME = (
    "weights",
    "tract_lengths",
    "regions",
    "parcellation",
    "streamline_weights",
)
RECORDING = ("recording", "regions", "atlas", "confounds")


def columns(*names):
    """Param function: some columns of the job's cohort row, so that the others remake nothing."""
    return lambda wildcards: {name: row(wildcards)[name] for name in names}


def files(*names):
    """Input function: the files that some columns of the job's cohort row name."""
    return lambda wildcards: {
        name: file_of(entry)
        for name, entry in columns(*names)(wildcards).items()
        if entry
    }


def maps(wildcards):
    """Files of the regional maps of the job's connectome, by name."""
    return study_of(wildcards).maps(wildcards.connectome)


def heard(wildcards):
    """Input function: the recording whose sensors a lead field leads to; none if it is simulated through it."""
    study, entry = study_of(wildcards), row(wildcards)["recording"]
    simulated = wildcards.connectome in study.simulated
    return {} if simulated or is_table(entry) else {"recording": entry}


def projected(files):
    """Input function: what `files` gives where simulated regions are projected to sensors."""
    return lambda wildcards: files(wildcards) if study_of(wildcards).projected else []


def units(wildcards):
    """Units of what the study can infer."""
    return study_of(wildcards).units


def model_of(wildcards):
    """Title and reference of the study's model."""
    model = MODELS[study_of(wildcards)["model"]]
    return {"title": model.title, "reference": model.reference}


def each_connectome(*names):
    """Input function: files of the connectomes of the study's subjects."""
    return lambda wildcards: expand(
        "results/{study}/{connectome}/{name}",
        study=wildcards.study,
        connectome=dict.fromkeys(connectome_by_subject(wildcards).values()),
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
    """Input function: every figure of the subjects, unless they have pages of their own."""
    return [
        f"results/{wildcards.study}/subjects/{subject}/figures/{name}.svg"
        for subject in ([] if paged(wildcards) else subjects_of(wildcards))
        for name in study_of(wildcards).figures(subject)
    ]


def paged(wildcards):
    """Whether a job makes the report of a cohort whose subjects have pages of their own."""
    return "subject" not in wildcards.keys() and study_of(wildcards).paged


def connectome_figures(wildcards):
    """Figures that the study asks for of the connectomes, unless they stand on the subjects' pages."""
    if paged(wildcards) and study_of(wildcards)["connectome"]["per"] == "subject":
        return []
    names = study_of(wildcards).connectome_figures
    return each_connectome(*(f"figures/{name}.svg" for name in names))(wildcards)


def pages(wildcards):
    """Input function: pages of the subjects, if they have such."""
    return each_subject("report.html")(wildcards) if paged(wildcards) else []


def of_cohort(wildcards):
    """Input function: what the report shows of a cohort of several subjects."""
    figures = study_of(wildcards).cohort_figures
    files = ["cohort.tsv", *(f"figures/{name}.svg" for name in figures)]
    return (
        [f"results/{wildcards.study}/{file}" for file in files]
        if "subject" not in wildcards.keys()
        else []
    )


def signal(wildcards):
    """Name of the series that the study's features are taken from."""
    return study_of(wildcards).signal


def measured(wildcards):
    """How figures name what the job's subject is compared in, its unit, and its nodes."""
    study = study_of(wildcards)
    if not study.on_sensors:
        return {"name": study.signal, "unit": "y", "nodes": "regions"}
    unit = {"T/m": "(T/m)"}.get(study.sensor_unit, study.sensor_unit)
    return {"name": row(wildcards)["kind"], "unit": unit, "nodes": "sensors"}


def features_of(wildcards):
    """Names of the study's features, each a group of columns."""
    return study_of(wildcards).groups


def each_recording(name):
    """Input function: the file `name` of every subject to whom the job's estimator is applied."""
    return lambda wildcards: expand(
        "results/{study}/subjects/{subject}/{name}",
        study=wildcards.study,
        subject=study_of(wildcards).subjects_of(wildcards.connectome),
        name=name,
    )
