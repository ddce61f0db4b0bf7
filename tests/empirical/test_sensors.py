"""EEG, MEG and intracranial recordings: real files of many formats, files written here, every mistake one line."""

from __future__ import annotations

import os
from pathlib import Path

import mne
import numpy as np
import pytest
import scipy.io

from vbiflow.empirical.cleaning import STEPS
from vbiflow.empirical.montages import check_positions, known_positions
from vbiflow.empirical.sensors import as_recording, read_sensors

FS = 200.0
NAMES = ["Fz", "Cz", "Pz", "Oz", "C3", "C4"]
TIME = np.arange(2000) / FS
BESIDE = Path(__file__).parents[3] / "shared" / "data" / "meeg"
REAL = os.environ.get("VBIFLOW_TEST_RECORDINGS") or (str(BESIDE) if BESIDE.is_dir() else "")


def saved(
    path: Path, data: np.ndarray | None = None, types: str | list[str] = "eeg", bads: tuple[str, ...] = ()
) -> Path:
    """Ten seconds of six channels as FIF."""
    data = 1e-5 * np.random.default_rng(0).standard_normal((6, 2000)) if data is None else data
    info = mne.create_info(NAMES, FS, types, verbose="ERROR")
    info["bads"] = list(bads)
    mne.io.RawArray(data, info, verbose="ERROR").save(path, fmt="double", verbose="ERROR")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path / "rest_raw.fif")


def test_references(path: Path) -> None:
    left = read_sensors(path, "eeg").get_data()
    recording = as_recording(path, read_sensors(path, "eeg", reference="average"), "eeg")
    assert recording.ts.shape == (6, 2000) and recording.fs == FS and recording.labels == tuple(NAMES)
    np.testing.assert_allclose(recording.ts, left - left.mean(axis=0), atol=1e-15)
    mne_s = mne.io.read_raw(path, preload=True, verbose="ERROR").set_eeg_reference("average", verbose="ERROR")
    np.testing.assert_allclose(recording.ts, mne_s.get_data(), atol=1e-15)
    to_cz = read_sensors(path, "eeg", reference="Cz")
    assert to_cz.ch_names == ["Fz", "Pz", "Oz", "C3", "C4"]  # Cz is zero from then on
    np.testing.assert_allclose(to_cz.get_data(), np.delete(left - left[1], 1, axis=0), atol=1e-15)
    to_two = read_sensors(path, "eeg", reference=["C3", "C4"]).get_data()
    np.testing.assert_allclose(to_two, left - left[4:].mean(axis=0), atol=1e-15)


def test_channels_come_in_the_order_asked_for(path: Path) -> None:
    raw = read_sensors(path, "eeg", channels=["C3", "Fz"], reference="average")
    assert raw.ch_names == ["C3", "Fz"]
    np.testing.assert_allclose(raw.get_data().sum(axis=0), 0, atol=1e-18)  # of those alone
    with pytest.raises(ValueError, match=r"1 sensor of the lead field is no good channel of the recording: T8"):
        read_sensors(path, "eeg", channels=["C3", "T8"])


def test_bad_channels_are_mended_if_asked_for(tmp_path: Path) -> None:
    data = 1e-5 * np.repeat(np.random.default_rng(0).standard_normal((1, 2000)), 6, axis=0)
    data[3] = 1e-3
    path = saved(tmp_path / "a_raw.fif", data, bads=("Oz",))
    assert "Oz" not in read_sensors(path, "eeg").ch_names
    raw = read_sensors(path, "eeg", {"montage": "biosemi64", "interpolate": ["Oz"]})
    np.testing.assert_allclose(raw.get_data()[3], data[0], rtol=0.05, atol=1e-9)


def test_bad_and_dropped_channels_go(tmp_path: Path) -> None:
    path = saved(tmp_path / "a_raw.fif", bads=("Oz",))
    assert read_sensors(path, "eeg", {"drop": ["C3"]}).ch_names == ["Fz", "Cz", "Pz", "C4"]


def test_filters_keep_and_drop_tones(tmp_path: Path) -> None:
    tones = {f: 1e-5 * np.sin(2 * np.pi * f * TIME) for f in (2.0, 10.0, 50.0)}
    data = np.stack([tones[2.0], tones[10.0], tones[50.0], tones[2.0] + tones[10.0], 0 * TIME, 0 * TIME])
    path = saved(tmp_path / "a_raw.fif", data)
    middle = slice(600, 1400)
    band = read_sensors(path, "eeg", {"band": [5, 30]}).get_data()[:, middle]
    np.testing.assert_allclose(band[3], tones[10.0][middle], atol=2e-7)
    assert band[0].std() < 2e-7 and band[2].std() < 2e-7
    notch = read_sensors(path, "eeg", {"notch": 50}).get_data()[:, middle]
    assert notch[2].std() < 2e-7 and notch[1].std() > 7e-6


def test_resampling_keeps_the_duration(path: Path) -> None:
    raw = read_sensors(path, "eeg", {"resample": 100})
    assert raw.info["sfreq"] == 100 and raw.n_times == 1000


def test_windows_with_artefacts_are_cut_out(tmp_path: Path) -> None:
    data = 1e-5 * np.random.default_rng(0).standard_normal((6, 2000))
    data[2, 450] = 1e-3
    path = saved(tmp_path / "a_raw.fif", data)
    raw = read_sensors(path, "eeg", {"reject": {"peak_to_peak": 2e-4, "window": 1}})
    np.testing.assert_allclose(raw.get_data(), np.delete(data, np.s_[400:600], axis=1), atol=1e-18)


def test_intracranial_recordings_stored_as_eeg(path: Path) -> None:
    assert set(read_sensors(path, "seeg").get_channel_types()) == {"seeg"}


def saved_epochs(path: Path) -> np.ndarray:
    """Ten epochs of a quarter of a second of six channels, as FIF or as EEGLAB's .set."""
    data = 1e-5 * np.random.default_rng(0).standard_normal((10, 6, 50))
    if path.suffix == ".set":
        latency = np.arange(10) * 50 + 1.0
        event = np.array([("a", value, k + 1.0) for k, value in enumerate(latency)], dtype=EVENT)
        places = np.array([(name,) for name in NAMES], dtype=[("labels", object)])
        eeg = {"data": 1e6 * data.transpose(1, 2, 0), "nbchan": 6.0, "pnts": 50.0, "trials": 10.0, "srate": FS}
        eeg |= {"xmin": 0.0, "xmax": 0.245, "chanlocs": places, "event": event, "epoch": epoch_table(latency)}
        scipy.io.savemat(path, {"EEG": eeg})
    else:
        info = mne.create_info(NAMES, FS, "eeg", verbose="ERROR")
        mne.EpochsArray(data, info, verbose="ERROR").save(path, fmt="double", verbose="ERROR")
    return data


EVENT = [("type", object), ("latency", float), ("epoch", float)]


def epoch_table(latency: np.ndarray) -> np.ndarray:
    """EEGLAB's table of epochs: each has the event in which it begins."""
    rows = [(k + 1.0, 0.0, "a") for k in range(len(latency))]
    return np.array(rows, dtype=[("event", float), ("eventlatency", float), ("eventtype", object)])


@pytest.mark.parametrize("name", ["a-epo.fif", "sub-01_epo.fif", "a-epo.fif.gz", "a.set"])
def test_epochs_stay_epochs(name: str, tmp_path: Path) -> None:
    data = saved_epochs(tmp_path / name)
    raw = read_sensors(tmp_path / name, "eeg", {"drop": ["C4"]}, reference="average")
    kept = data[:, :5] - data[:, :5].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(raw.get_data(), kept, atol=1e-12)
    recording = as_recording(tmp_path / name, raw, "eeg")
    assert recording.epoch == 50 and recording.labels == tuple(NAMES[:5]) and recording.fs == FS
    np.testing.assert_allclose(recording.ts, np.concatenate(kept, axis=1), atol=1e-12)


def test_what_is_done_to_epochs(tmp_path: Path) -> None:
    path = tmp_path / "a-epo.fif"
    data = saved_epochs(path)
    assert as_recording(path, read_sensors(path, "eeg", {"resample": 100}), "eeg").epoch == 25
    bound = float(np.sort(np.ptp(data, axis=2).max(axis=1))[6])
    raw = read_sensors(path, "eeg", {"reject": {"peak_to_peak": bound}})
    good = np.ptp(data, axis=2).max(axis=1) <= bound
    assert good.sum() == 7
    np.testing.assert_allclose(raw.get_data(), data[good])
    raw = read_sensors(path, "eeg", {"montage": "biosemi64", "interpolate": ["Oz"], "scale": 2.0})
    np.testing.assert_allclose(raw.get_data()[:, [0, 5]], 2 * data[:, [0, 5]])
    for options, message in (
        ({"band": [1, 40]}, r"recording.band: a filter would run across the borders of epochs; filter the recording"),
        ({"notch": 50}, r"recording.notch: a filter would run across the borders of epochs"),
        ({"reject": {"peak_to_peak": 1, "window": 1}}, r"recording.reject: found peak_to_peak, window; write"),
        ({"reject": {"peak_to_peak": 1e-9}}, r"recording.reject: 100% of the windows exceed 1e-09"),
    ):
        with pytest.raises(ValueError, match=message):
            read_sensors(path, "eeg", options)


def test_montage_gives_positions(path: Path) -> None:
    with pytest.raises(ValueError, match=r"6 channels have no position: Fz, .* and 1 more; set recording.montage"):
        check_positions(read_sensors(path, "eeg").info)
    assert known_positions(read_sensors(path, "eeg").info) is None
    places = known_positions(read_sensors(path, "eeg", {"montage": "biosemi64"}).info)
    assert places[4, 0] < -40 < 40 < places[5, 0] and places[1, 2] > 80


def test_renamed_channels_find_their_position(tmp_path: Path, path: Path) -> None:
    options = {"rename": {"Oz": "EXG1"}, "montage": "biosemi64"}
    with pytest.raises(ValueError, match=r"1 channel has no position: EXG1"):
        check_positions(read_sensors(path, "eeg", options).info)


def test_other_units_are_told_and_mended(tmp_path: Path, path: Path) -> None:
    volts = read_sensors(path, "eeg").get_data()
    micro = saved(tmp_path / "micro_raw.fif", 1e6 * volts)
    with pytest.raises(ValueError, match=r"eeg channels have a standard deviation of 10 V, allowed is 1e-08 to 0.005"):
        read_sensors(micro, "eeg")
    np.testing.assert_allclose(read_sensors(micro, "eeg", {"scale": 1.0e-6}).get_data(), volts, rtol=1e-12)


def test_femtotesla_that_say_tesla_are_told(tmp_path: Path) -> None:
    field = 1e-13 * np.random.default_rng(0).standard_normal((6, 2000))
    assert read_sensors(saved(tmp_path / "a_raw.fif", field, "mag"), "meg").get_channel_types() == ["mag"] * 6
    with pytest.raises(ValueError, match=r"mag channels have a standard deviation of 1e\+02 T, allowed is 1e-15"):
        read_sensors(saved(tmp_path / "b_raw.fif", 1e15 * field, "mag"), "meg")


def test_values_that_are_no_numbers_are_named_before_they_spread(tmp_path: Path, path: Path) -> None:
    data = read_sensors(path, "eeg").get_data()
    data[2, 7] = np.nan
    bad = saved(tmp_path / "nan_raw.fif", data)
    with pytest.raises(ValueError, match=r"nan_raw.fif: not finite in 1 channel: Pz; drop or interpolate them"):
        read_sensors(bad, "eeg", reference="average")
    assert np.isfinite(read_sensors(bad, "eeg", {"drop": ["Pz"]}, reference="average").get_data()).all()


def text(path: Path) -> Path:
    path.write_text("no recording")
    return path


BAD = {
    "missing": (lambda p: p.with_name("no_raw.fif"), "eeg", {}, r"no_raw.fif: no such file"),
    "text": (lambda p: text(p.with_name("a.edf")), "eeg", {}, r"a.edf: no recording that MNE reads, or cut short"),
    "kind": (lambda p: p, "bold", {}, r"rest_raw.fif: kind 'bold' is no sensor recording; choose from eeg, meg, seeg"),
    "no channels": (lambda p: p, "meg", {}, r"rest_raw.fif: no meg channels; found eeg; correct kind"),
    "option": (lambda p: p, "eeg", {"filter": [1, 2]}, r"recording: unknown option 'filter'; choose from sensors"),
    "drop": (lambda p: p, "eeg", {"drop": ["Q"]}, r"recording.drop: no channel 'Q'; found Fz, Cz"),
    "montage": (lambda p: p, "eeg", {"montage": "10-20"}, r"recording.montage: unknown montage '10-20'; choose from"),
    "band": (lambda p: p, "eeg", {"band": [1, 150]}, r"recording.band: found \[1, 150\] Hz; write .* 0 and 100"),
    "reject": (lambda p: p, "eeg", {"reject": {"peak": 1}}, r"recording.reject: found peak; write \{peak_to_peak"),
    "window": (
        lambda p: p, "eeg", {"reject": {"peak_to_peak": 1, "window": 20}}, r"a window of 20 s does not fit into 9.995 s"
    ),
    "all rejected": (
        lambda p: p, "eeg", {"reject": {"peak_to_peak": 1e-9, "window": 1}}, r"100% of the windows exceed 1e-09"
    ),
    "scale": (lambda p: p, "eeg", {"scale": 0}, r"recording.scale: found 0; write a number above 0"),
    "sensors": (lambda p: p, "eeg", {"sensors": "mag"}, r"recording.sensors: found 'mag'; the file has eeg"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_mistake_is_one_line(case: str, path: Path) -> None:
    make, kind, options, message = BAD[case]
    with pytest.raises(ValueError, match=message) as caught:
        read_sensors(make(path), kind, options)
    assert "\n" not in str(caught.value)


def test_truncated_file(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"rest_raw.fif: no recording that MNE reads, or cut short"):
        read_sensors(path, "eeg")


def test_two_units_are_not_mixed(tmp_path: Path) -> None:
    data = 1e-12 * np.random.default_rng(0).standard_normal((6, 2000))
    path = saved(tmp_path / "a_raw.fif", data, types=["mag", "mag", "grad", "grad", "grad", "eeg"])
    with pytest.raises(
        ValueError, match=r"magnetometers and gradiometers have different units; write recording.sensors"
    ):
        as_recording(path, read_sensors(path, "meg"), "meg")
    recording = as_recording(path, read_sensors(path, "meg", {"sensors": "grad"}), "meg")
    assert recording.labels == ("Pz", "Oz", "C3")


def test_every_step_is_described() -> None:
    assert all(step.__doc__ for step in STEPS.values())


FILES = {
    "test.edf": ("eeg", 138, 512.0),
    "test.bdf": ("eeg", 72, 2048.0),
    "test.vhdr": ("eeg", 26, 1000.0),
    "test.sqd": ("meg", 157, 1000.0),
    "exported4D_linux_raw.fif": ("meg", 248, 1017.25),
    "test_egi.raw": ("eeg", 256, 250.0),
}


@pytest.mark.skipif(not REAL, reason="VBIFLOW_TEST_RECORDINGS names no folder with MNE's small test recordings")
@pytest.mark.parametrize("name", FILES)
def test_real_files_of_every_format(name: str) -> None:
    kind, n_channels, fs = FILES[name]
    recording = as_recording(name, read_sensors(Path(REAL) / name, kind), kind)
    assert len(recording.labels) == n_channels and recording.fs == pytest.approx(fs, rel=1e-4)
    assert np.isfinite(recording.ts).all() and np.ptp(recording.ts) > 0
