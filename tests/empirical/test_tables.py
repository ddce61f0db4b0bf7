"""Tables of spectra and features: read, ordered by name, each mistake one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vbiflow.empirical.tables import read_features, read_spectra


def text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_spectra_are_ordered_by_name(tmp_path: Path) -> None:
    path = text(tmp_path / "p.tsv", "frequency\tlh_a\tlh_b\n1\t5\t6\n2\t3\t4\n3\t1\t2\n")
    spectra = read_spectra(path, ["L_b", "L_a"])
    np.testing.assert_array_equal(spectra.power, [[6, 4, 2], [5, 3, 1]])
    np.testing.assert_array_equal(spectra.frequencies, [1, 2, 3])
    assert read_spectra(path).labels == ("lh_a", "lh_b")
    assert read_spectra(path, ["L_b"], "rest").labels == ("lh_b",)
    with pytest.raises(ValueError, match=r"p.tsv: 1 region is not in the connectome: lh_a; drop them by recording.dr"):
        read_spectra(path, ["L_b"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1\t5\n2\t3\n", r"p.tsv: power spectra need a header"),
        ("f\ta\n2\t5\n1\t3\n", r"p.tsv: the first column 'f' must be frequencies \[Hz\] that rise"),
        ("f\ta\tb\n1\t5\t1\n2\t3\t-40\n", r"p.tsv: b: power is -40 at 2 Hz; give power, not its logarithm in dB"),
        ("f\ta\n1\t5\n2\tn/a\n", r"p.tsv: a: power is nan at 2 Hz; give a number, or leave the line out"),
        ("f\tx\n1\t5\n2\t3\n", r"p.tsv: regions do not match the connectome: it lacks a; .* it has x"),
    ],
)
def test_bad_spectra_are_one_line(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        read_spectra(text(tmp_path / "p.tsv", content), ["a"])


def test_features_in_a_row_or_a_column(tmp_path: Path) -> None:
    for content in ("fc_mean\tfc_std\n0.5\t0.1\n", "fc_mean\t0.5\nfc_std\t0.1\n"):
        values, names = read_features(text(tmp_path / "x.tsv", content), ["fc_std", "fc_mean"])
        np.testing.assert_array_equal(values, [0.1, 0.5])
        assert names == ("fc_std", "fc_mean")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\n1\t2\n3\t4\n", r"x.tsv: features are a header and one row"),
        ("a\t1\na\t2\n", r"x.tsv: a feature stands twice"),
        ("a\tb\n1\tnan\n", r"x.tsv: feature 'b' is not finite"),
        ("a\tc\n1\t2\n", r"x.tsv: no feature 'b'; 1 of those"),
        ("a\tB\n1\t2\n", r"no feature 'b'; 1 of those that the study simulates lack; did you mean 'B'\?"),
    ],
)
def test_bad_features_are_one_line(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        read_features(text(tmp_path / "x.tsv", content), ["a", "b"])


def test_an_index_of_pandas_is_the_frequencies(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(",L_a,L_b\n2.0,1,2\n4.0,3,4\n6.0,5,6\n")
    spectra = read_spectra(tmp_path / "p.csv", ["L_b", "L_a"])
    assert spectra.frequencies.tolist() == [2, 4, 6] and spectra.power.tolist() == [[2, 4, 6], [1, 3, 5]]
