"""fMRI images: written with known regional series, read back; nilearn's masker as a peer; every mistake one line."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel import cifti2

from vbiflow.empirical import imaging, read_recording
from vbiflow.empirical.imaging import read_confounds
from vbiflow.features.preparation import prepare

AFFINE = np.diag([3.0, 3, 3, 1])
RNG = np.random.default_rng(0)
TS = RNG.standard_normal((3, 20))
LABELS = RNG.integers(0, 4, (4, 5, 6)) * 10
TABLE = "index\tlabel\n30\tL_a\n10\tR_a\n20\tL_b\n"


def atlas(folder: Path, labels: np.ndarray = LABELS, affine: np.ndarray = AFFINE) -> Path:
    (folder / "r.tsv").write_text(TABLE)
    nib.save(nib.Nifti1Image(labels.astype(np.int16), affine), folder / "atlas.nii.gz")
    return folder / "atlas.nii.gz"


def volumes(path: Path, tr: float = 2.0, unit: str = "sec", noise: float = 0.5) -> Path:
    """A 4-D image whose regions (10, 20, 30) carry TS, with noise that is zero on average over each region."""
    data = np.zeros((*LABELS.shape, 20))
    for k, value in enumerate((10, 20, 30)):
        inside = value == LABELS
        jitter = noise * RNG.standard_normal((inside.sum(), 20))
        data[inside] = TS[k] + jitter - jitter.mean(axis=0)
    image = nib.Nifti1Image(data.astype("f4"), AFFINE)
    image.header.set_zooms((3, 3, 3, tr))
    image.header.set_xyzt_units("mm", unit)
    nib.save(image, path)
    return path


def test_volumes_are_averaged_over_the_atlas(tmp_path: Path) -> None:
    path, labels = volumes(tmp_path / "bold.nii.gz"), atlas(tmp_path)
    recording = read_recording(path, regions=tmp_path / "r.tsv", atlas=labels)
    np.testing.assert_allclose(recording.ts, TS[[2, 0, 1]], atol=1e-6)
    assert recording.labels == ("L_a", "R_a", "L_b") and recording.fs == 0.5
    ordered = read_recording(path, regions=tmp_path / "r.tsv", atlas=labels, labels=["lh-b", "lh-a"], drop="rest")
    np.testing.assert_allclose(ordered.ts, TS[[1, 2]], atol=1e-6)


def test_equals_nilearns_masker_on_another_grid(tmp_path: Path) -> None:
    from nilearn.maskers import NiftiLabelsMasker

    fine = np.kron(LABELS, np.ones((3, 3, 3)))
    shifted = np.diag([1.0, 1, 1, 1])
    shifted[:3, 3] = -1
    path, labels = volumes(tmp_path / "bold.nii"), atlas(tmp_path, fine, shifted)
    recording = read_recording(path, atlas=labels)
    masker = NiftiLabelsMasker(labels, resampling_target="data", standardize=None, reports=False)
    np.testing.assert_allclose(recording.ts, masker.fit_transform(path).T, atol=1e-5)
    np.testing.assert_allclose(recording.ts, TS, atol=1e-6)


@pytest.mark.parametrize(("tr", "unit"), [(0.72, "sec"), (720.0, "msec")])
def test_repetition_time_comes_from_the_header(tr: float, unit: str, tmp_path: Path, capsys) -> None:
    path, labels = volumes(tmp_path / "bold.nii", tr, unit), atlas(tmp_path)
    assert read_recording(path, atlas=labels).fs == pytest.approx(1 / 0.72)
    assert read_recording(path, tr="0.72", atlas=labels).fs == pytest.approx(1 / 0.72)
    assert read_recording(path, tr=2, atlas=labels).fs == 0.5
    assert (
        "bold.nii: the header states a TR of 0.72 s; the 2 s that the cohort states are taken"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("voxels", [1, 250, 1 << 23])
def test_volumes_in_blocks_of_any_size(voxels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imaging, "VOXELS", voxels)
    path, labels = volumes(tmp_path / "bold.nii.gz"), atlas(tmp_path)
    np.testing.assert_allclose(read_recording(path, atlas=labels).ts, TS, atol=1e-6)


@pytest.mark.parametrize("axes", ["LAS", "PIR"])
def test_image_may_lie_another_way_round_than_its_atlas(axes: str, tmp_path: Path) -> None:
    image = nib.load(volumes(tmp_path / "bold.nii"))
    turn = nib.orientations.ornt_transform(nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(axes))
    turned = image.as_reoriented(turn)
    turned.header.set_zooms((3, 3, 3, 2))
    nib.save(turned, tmp_path / "turned.nii")
    np.testing.assert_allclose(read_recording(tmp_path / "turned.nii", atlas=atlas(tmp_path)).ts, TS, atol=1e-6)


def test_voxels_that_are_no_number_are_told(tmp_path: Path) -> None:
    image = nib.load(volumes(tmp_path / "bold.nii"))
    data = image.get_fdata()
    data[tuple(np.argwhere(LABELS == 20)[0])] = np.nan
    nib.save(nib.Nifti1Image(data, AFFINE, image.header), tmp_path / "nan.nii")
    with pytest.raises(ValueError, match=r"nan.nii: not finite in 1 region: 20; interpolate or leave them out"):
        read_recording(tmp_path / "nan.nii", atlas=atlas(tmp_path))


@pytest.mark.parametrize(("tr", "unit"), [(0.0, "sec"), (2.0, "hz")])
def test_header_without_a_repetition_time(tr: float, unit: str, tmp_path: Path) -> None:
    path, labels = volumes(tmp_path / "bold.nii", tr, unit), atlas(tmp_path)
    with pytest.raises(ValueError, match=r"bold.nii: no TR; give tr \[s\] in the cohort table"):
        read_recording(path, atlas=labels)
    assert read_recording(path, tr="2", atlas=labels).fs == 0.5


def test_image_mistakes_are_one_line(tmp_path: Path) -> None:
    path, labels = volumes(tmp_path / "bold.nii"), atlas(tmp_path)
    with pytest.raises(ValueError, match=r"bold.nii: a 4-D image needs the volume of its regions"):
        read_recording(path)
    with pytest.raises(ValueError, match=r"atlas.nii.gz: shape 4 x 5 x 6; a recording is 4-D"):
        read_recording(labels, atlas=labels)
    with pytest.raises(ValueError, match=r"none.nii: no such file"):
        read_recording(tmp_path / "none.nii", atlas=labels)
    elsewhere = AFFINE.copy()
    elsewhere[:3, 3] = 500
    with pytest.raises(
        ValueError, match=r"bold.nii: no voxel in 10, 20, 30 of .*atlas.nii.gz; are both in the same space"
    ):
        read_recording(path, atlas=atlas(tmp_path, LABELS, elsewhere))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"bold.nii: damaged or cut short"):
        read_recording(path, atlas=atlas(tmp_path))
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"bold.nii: not a whole image that nibabel reads"):
        read_recording(path, atlas=labels)


NAMES = ("L_V1_ROI", "R_V1_ROI")
CORTEX = cifti2.BrainModelAxis.from_mask(np.ones(10, bool), "CortexLeft") + cifti2.BrainModelAxis.from_mask(
    np.ones(10, bool), "CortexRight"
)


def ptseries(path: Path, step: float = 0.72) -> Path:
    parcels = cifti2.ParcelsAxis.from_brain_models(
        [(name, CORTEX[10 * k : 10 * k + 10]) for k, name in enumerate(NAMES)]
    )
    cifti2.Cifti2Image(TS[:2].T, (cifti2.SeriesAxis(0, step, 20), parcels)).to_filename(path)
    return path


def test_parcel_series(tmp_path: Path) -> None:
    path = ptseries(tmp_path / "a.ptseries.nii")
    recording = read_recording(path, labels=["ctx-rh-V1", "lh_V1"])
    np.testing.assert_allclose(recording.ts, TS[[1, 0]], atol=1e-6)
    assert recording.fs == pytest.approx(1 / 0.72)
    with pytest.raises(ValueError, match=r"a.ptseries.nii: regions do not match the connectome: it lacks lh_V2"):
        read_recording(path, labels=["lh_V2"])


def test_grayordinates_with_labels(tmp_path: Path) -> None:
    deep = cifti2.BrainModelAxis.from_mask(np.ones((2, 1, 1), bool), "CIFTI_STRUCTURE_THALAMUS_LEFT", affine=np.eye(4))
    every = CORTEX + deep
    data = np.concatenate([np.repeat(TS[:2].T, 10, axis=1), np.ones((20, 2))], axis=1)
    path = tmp_path / "a.dtseries.nii"
    cifti2.Cifti2Image(data, (cifti2.SeriesAxis(0, 1.0, 20), every)).to_filename(path)
    keys = {0: ("???", (0, 0, 0, 0)), 5: (NAMES[0], (1, 0, 0, 1)), 9: (NAMES[1], (0, 1, 0, 1))}
    values = np.repeat([[5.0, 9.0]], 10, axis=1)
    values[0, 0] = 0
    labels = tmp_path / "a.dlabel.nii"
    cifti2.Cifti2Image(values, (cifti2.LabelAxis(["atlas"], [keys]), CORTEX)).to_filename(labels)
    recording = read_recording(path, atlas=labels)
    np.testing.assert_allclose(recording.ts, TS[:2], atol=1e-6)
    assert recording.labels == NAMES
    two = cifti2.LabelAxis(["coarse", "atlas"], [{0: keys[0], 5: ("all", (1, 0, 0, 1))}, keys])
    cifti2.Cifti2Image(np.concatenate([5 * (values > 0), values]), (two, CORTEX)).to_filename(tmp_path / "b.dlabel.nii")
    both = read_recording(path, atlas=f"{tmp_path / 'b.dlabel.nii'}::atlas")
    np.testing.assert_array_equal(both.ts, recording.ts)
    with pytest.raises(
        ValueError, match=r"b.dlabel.nii: holds the maps coarse, atlas; name one, as in b.dlabel.nii::c"
    ):
        read_recording(path, atlas=tmp_path / "b.dlabel.nii")
    with pytest.raises(ValueError, match=r"a.dtseries.nii: grayordinates need labels; give a .dlabel.nii"):
        read_recording(path)
    with pytest.raises(ValueError, match=r"a.dtseries.nii: no label map; give a .dlabel.nii"):
        read_recording(path, atlas=path)
    with pytest.raises(ValueError, match=r"second axis is ParcelsAxis, not BrainModelAxis"):
        read_recording(path, atlas=ptseries(tmp_path / "b.ptseries.nii"))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"a.dtseries.nii: damaged or cut short \(Expected "):
        read_recording(path, atlas=labels)


@pytest.mark.filterwarnings("ignore:From release 0.14.0, confounds:DeprecationWarning")
def test_confounds_are_regressed_out_as_nilearn_does() -> None:
    from nilearn.signal import clean

    confounds = RNG.standard_normal((40, 3)).cumsum(axis=0)
    ts = RNG.standard_normal((40, 4)) + confounds @ RNG.standard_normal((3, 4))
    ours = prepare(ts.T[None], 0.5, {}, confounds.T)[0]
    theirs = clean(ts, confounds=confounds, detrend=False, standardize=None)
    np.testing.assert_allclose(ours.T, theirs - theirs.mean(axis=0), atol=1e-9)


def test_confounds(tmp_path: Path) -> None:
    path = tmp_path / "confounds.tsv"
    path.write_text("trans_x\tcsf\tother\nn/a\t1\tx\n2\t3\ty\n4\t5\tz\n")
    np.testing.assert_array_equal(read_confounds(path, ["csf", "trans_x"]), [[1, 3], [3, 2], [5, 4]])
    with pytest.raises(ValueError, match=r"confounds.tsv: no column 'rot_x'; found trans_x, csf, other"):
        read_confounds(path, ["rot_x"])
    for column, message in (("other", "a confound is no number"), ("none", "a confound has no value at all")):
        path.write_text("other\tnone\nx\tn/a\n")
        with pytest.raises(ValueError, match=message):
            read_confounds(path, [column])
    path.write_text("")
    with pytest.raises(ValueError, match=r"confounds.tsv: empty; give the table of confounds, a header and one line"):
        read_confounds(path, ["csf"])
    with pytest.raises(ValueError, match="no such file; give the table of confounds in a column confounds"):
        read_confounds(tmp_path / "none.tsv", ["csf"])
