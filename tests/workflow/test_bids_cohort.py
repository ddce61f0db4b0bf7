"""A folder of BIDS derivatives as a cohort, from start to end: one person's fMRI as a volume, another's as CIFTI."""

import json
import re

import h5py
import nibabel as nib
import numpy as np
import pytest
from checkout import Copy
from nibabel import cifti2

TR, N_TIMES = 0.72, 400
NAMES = [f"{name}_{side}" for name in ("Calcarine", "Cuneus", "Lingual", "Occipital") for side in "LR"]
STUDY = """
cohort:
  folders: bids
  files:
    recording: {suffix: bold, extension: [.nii.gz, .dtseries.nii]}
    atlas: {suffix: dseg, extension: [.nii.gz, .dlabel.nii]}
    regions: {suffix: dseg, extension: .tsv}
    confounds: {desc: confounds}
recording: {confounds: [csf, trans_x]}
preparation: {detrend: true, bandpass: [0.01, 0.2]}
connectome:
  per: sub-01
"""


def written(path, content):
    """A file in its folder, made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def table(header, rows):
    return "\n".join("\t".join(map(str, row)) for row in [header, *rows]) + "\n"


def save_volumes(func, name, series):
    """A 4-D image in which each region is eight voxels around its series, and the volume of its regions."""
    labels = np.zeros((6, 6, 6), "int16")
    labels[1:5, 1:5, 1:5] = np.kron(np.arange(1, 9).reshape(2, 2, 2), np.ones((2, 2, 2)))
    noise = np.random.default_rng(1).standard_normal((8, 8, N_TIMES))
    data = np.zeros((*labels.shape, N_TIMES), "float32")
    for k, line in enumerate(series):
        data[labels == k + 1] = line + noise[k] - noise[k].mean(axis=0)
    affine = np.diag([-3.0, 3, 3, 1])
    image = nib.Nifti1Image(data, affine)
    image.header.set_zooms((3, 3, 3, TR))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, func / f"{name}_desc-preproc_bold.nii.gz")
    nib.save(nib.Nifti1Image(labels, affine), func / f"{name}_seg-occipital_dseg.nii.gz")


def save_grayordinates(func, name, series):
    """A dense series in which each region is four vertices, and the map of its labels."""
    left, right = (cifti2.BrainModelAxis.from_mask(np.ones(16, bool), f"Cortex{side}") for side in ("Left", "Right"))
    data = np.repeat(np.concatenate([series[::2], series[1::2]]), 4, axis=0).T.astype("float32")
    axes = cifti2.SeriesAxis(0, TR, N_TIMES), left + right
    cifti2.Cifti2Image(data, axes).to_filename(func / f"{name}_desc-preproc_bold.dtseries.nii")
    keys = {0: ("???", (0, 0, 0, 0))} | {k + 1: (label, (1, 0, 0, 1)) for k, label in enumerate(NAMES)}
    values = np.repeat(np.r_[1:9:2, 2:9:2], 4)[None].astype(float)
    axes = cifti2.LabelAxis(["occipital"], [keys]), left + right
    cifti2.Cifti2Image(values, axes).to_filename(func / f"{name}_seg-occipital_dseg.dlabel.nii")


def save_tree(folder):
    """Two people with the same brain and the same activity, which confounds of their own cover."""
    rng = np.random.default_rng(7)
    weights = np.exp(rng.standard_normal((8, 8)))
    weights = np.where(np.eye(8) > 0, 0, weights + weights.T)
    weights[np.arange(0, 8, 2), np.arange(1, 8, 2)] = weights[np.arange(1, 8, 2), np.arange(0, 8, 2)] = 9
    series = np.linalg.cholesky(0.4 * weights / 9 + np.eye(8)) @ rng.standard_normal((8, N_TIMES))
    for number, save in (("01", save_volumes), ("02", save_grayordinates)):
        name, person = f"sub-{number}", folder / f"sub-{number}"
        relmat = table(["Node", *NAMES], [[label, *line] for label, line in zip(NAMES, weights, strict=True)])
        written(person / "dwi" / f"{name}_meas-streamlinecount_relmat.tsv", relmat)
        rows = [(k + 1, label, label[-1]) for k, label in enumerate(NAMES)]
        written(person / "func" / f"{name}_seg-occipital_dseg.tsv", table(["index", "name", "hemisphere"], rows))
        confounds = rng.standard_normal((N_TIMES, 2)).cumsum(axis=0)
        lines = table(["csf", "trans_x"], confounds.tolist())
        written(person / "func" / f"{name}_task-rest_desc-confounds_timeseries.tsv", lines)
        save(person / "func", f"{name}_task-rest", 1000 + series + rng.standard_normal((8, 2)) @ confounds.T)
    written(folder / "dataset_description.json", json.dumps({"Name": "x", "BIDSVersion": "1.9.0"}))
    written(folder / "task-rest_bold.json", json.dumps({"RepetitionTime": TR}))
    written(folder / "participants.tsv", "participant_id\tage\nsub-01\t30\nsub-02\t41\n")


@pytest.fixture(scope="module")
def bids(tmp_path_factory):
    """The tiny study on such a folder, on one shared estimator."""
    copy = Copy(tmp_path_factory.mktemp("bids") / "vbiflow")
    save_tree(copy.path / "bids")
    path = copy.path / "config" / "studies" / "tiny.yaml"
    study = re.sub(r"cohort: tiny\nconnectome:\n  select: .*\n", STUDY.lstrip(), path.read_text())
    study = study.replace("shard_size: 80", "shard_size: 300").replace("duration: 864.0e+3", "duration: 288.0e+3")
    path.write_text(study)
    done = copy.snakemake("--notemp", "results/tiny/figures", timeout=1500)
    assert done.returncode == 0, done.stdout[-4000:]
    return copy


@pytest.mark.slow
def test_volume_and_grayordinates_give_the_same_features(bids):
    found = []
    for person in ("sub-01", "sub-02"):
        with h5py.File(bids.path / "results" / "tiny" / "subjects" / person / "x_o.h5") as file:
            found.append({"x": file["x"][()], "names": file["names"].asstr()[()].tolist(), "ts": file["ts"][()]})
    assert found[0]["names"] == found[1]["names"] and found[0]["ts"].shape == (8, N_TIMES)
    np.testing.assert_allclose(found[0]["x"], found[1]["x"], atol=0.05)
    assert np.corrcoef(found[0]["ts"].ravel(), found[1]["ts"].ravel())[0, 1] > 0.95


@pytest.mark.slow
def test_connectome_carries_the_names_of_its_matrix(bids):
    with h5py.File(bids.path / "results" / "tiny" / "sub-01" / "connectome.h5") as file:
        assert file["labels"].asstr()[()].tolist() == NAMES and (file["weights"][()] > 0).sum() == 56


@pytest.mark.slow
def test_both_have_a_posterior_beside_what_else_is_known(bids):
    lines = [line.split("\t") for line in (bids.path / "results/tiny/cohort.tsv").read_text().splitlines()]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    assert [(row["participant_id"], row["age"]) for row in rows] == [("sub-01", "30"), ("sub-02", "41")]
    assert all(1 < float(row["G_median"]) < 10 for row in rows)
