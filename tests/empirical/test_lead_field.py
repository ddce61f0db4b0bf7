"""Lead fields: by hand, from TVB's projections, from a template head that hears every region; sources found again."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from vbiflow.connectome import read_connectome
from vbiflow.empirical import forward
from vbiflow.empirical.forward import (
    METHODS,
    normal_to_cortex,
    read_forward,
    reconstruct,
    region_lead_field,
    template_forward,
)
from vbiflow.empirical.lead_field import LeadField, contact_lead_field, read_lead_field, surface_lead_field
from vbiflow.observation.sensors import reference_matrix

GAIN = np.array([[1.0, 0, 2], [0, 1, 1]])
FIELD = LeadField(GAIN, ("Cz", "Oz"), ("L_a", "R_a", "L_b"))


def test_projection_is_a_weighted_sum_for_any_batch() -> None:
    ts = np.random.default_rng(0).standard_normal((4, 3, 10))
    out = FIELD.project(ts)
    assert out.shape == (4, 2, 10)
    np.testing.assert_allclose(out[3, 1], ts[3, 1] + ts[3, 2])


def test_take_orders_sensors_and_regions() -> None:
    field = FIELD.take(["Oz", "Cz"], ["lh_b", "lh-A"])
    np.testing.assert_array_equal(field.gain, [[1, 0], [2, 1]])
    assert field.labels == ("L_b", "L_a")


def test_round_trip_and_table(tmp_path: Path) -> None:
    FIELD.save(tmp_path / "g.h5", {})
    again = read_lead_field(tmp_path / "g.h5")
    np.testing.assert_array_equal(again.gain, GAIN)
    assert (again.sensors, again.labels) == (FIELD.sensors, FIELD.labels)
    (tmp_path / "g.tsv").write_text("sensor\tL_a\tR_a\tL_b\nCz\t1\t0\t2\nOz\t0\t1\t1\n")
    np.testing.assert_array_equal(read_lead_field(tmp_path / "g.tsv").gain, GAIN)
    (tmp_path / "n.tsv").write_text("1\t0\t2\n0\t1\t1\n")
    with pytest.raises(
        ValueError, match=r"n.tsv: a lead field needs a header of region names and a first column of sensor"
    ):
        read_lead_field(tmp_path / "n.tsv")


@pytest.mark.parametrize(
    ("gain", "message"),
    [
        ([[1, 0, 2], [1, 0, 1]], "lead field: 1 region reaches no sensor: R_a; their sources lie outside"),
        ([[1, 1, np.nan], [1, 1, 1]], "lead field: gains are not finite at Cz; drop these sensors"),
        ([[1, 1], [1, 1]], r"lead field of shape \(2, 2\) for 2 sensors and 3 regions"),
    ],
)
def test_bad_lead_field_is_one_line(gain: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LeadField(np.array(gain, dtype=float), FIELD.sensors, FIELD.labels)


def test_missing_names_are_listed() -> None:
    with pytest.raises(ValueError, match=r"lead field: no sensor Pz; it has Cz, Oz"):
        FIELD.take(["Cz", "Pz"])
    with pytest.raises(ValueError, match=r"lead field: regions do not match the connectome: it lacks R_b"):
        FIELD.take(labels=["R_b"])


def test_contacts_hear_regions_by_the_square_of_distance() -> None:
    field = contact_lead_field([[0, 0, 0], [0, 0, 2]], [[0, 0, 4], [0, 0, 0.1]], ["A1", "A2"], ["x", "y"])
    np.testing.assert_allclose(field.gain, [[1 / 16, 1], [1 / 4, 1 / 1.9**2]])
    with pytest.raises(ValueError, match="a contact or a region has no position"):
        contact_lead_field([[np.nan, 0, 0]], [[0, 0, 4]], ["A1"], ["x"])


def test_tvb_projections_lose_their_broken_sensors(catalogue_file) -> None:
    connectome = read_connectome(catalogue_file("tvb", "connectivity_76.zip"))
    mapping = catalogue_file("tvb", "region_mapping_76.txt")
    for kind, n_sensors, n_broken in (("eeg_65", 65, 2), ("meg_276", 276, 28)):
        lines = catalogue_file("tvb", f"sensors_{kind}.txt").read_text().splitlines()
        names = [line.split()[0] for line in lines]
        field = surface_lead_field(catalogue_file("tvb", f"projection_{kind}.npy"), mapping, connectome.labels, names)
        assert field.gain.shape == (n_sensors - n_broken, 76) and len(names) == n_sensors


def test_surface_projection_is_summed_over_regions(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", [[1.0, 2, 4], [np.nan, 1, 1], [1, 1, 1]])
    (tmp_path / "m.txt").write_text("0\n1\n0\n")
    field = surface_lead_field(tmp_path / "p.npy", tmp_path / "m.txt", ["a", "b"], ["s1", "s2", "s3"])
    np.testing.assert_array_equal(field.gain, [[5, 2], [2, 1]])
    assert field.sensors == ("s1", "s3")
    with pytest.raises(ValueError, match=r"p.npy: 3 sensors x 3 vertices, but 2 sensor names and 3 mapped vertices"):
        surface_lead_field(tmp_path / "p.npy", tmp_path / "m.txt", ["a", "b"], ["s1", "s2"])
    with pytest.raises(ValueError, match=r"m.txt: regions 0 to 1, but there are 1 labels"):
        surface_lead_field(tmp_path / "p.npy", tmp_path / "m.txt", ["a"], ["s1", "s2", "s3"])
    with pytest.raises(ValueError, match=r"1 region reaches no sensor: c"):
        surface_lead_field(tmp_path / "p.npy", tmp_path / "m.txt", ["a", "b", "c"], ["s1", "s2", "s3"])


def test_template_reaches_every_region_and_the_right_electrodes(eeg) -> None:
    _, _, labels, field = eeg
    assert field.gain.shape == (32, 68) and len(labels) == 68
    gain = np.abs(reference_matrix(field.sensors, "average")[0] @ field.gain)
    assert gain.max(axis=0).min() > 0.01 * gain.max()
    for region, sites in {
        "lateraloccipital-lh": ("O1", "PO3", "P7"),
        "frontalpole-rh": ("Fp2", "Fp1", "AF4"),
        "superiortemporal-rh": ("F8", "FC6", "T8"),
    }.items():
        assert field.sensors[int(np.argmax(gain[:, field.labels.index(region)]))] in sites
    assert field.take(labels=["ctx-lh-precentral"]).labels == ("precentral-lh",)


@pytest.mark.parametrize("method", METHODS)
def test_sources_are_found_again(method: str, eeg) -> None:
    info, forward, labels, _ = eeg
    rng = np.random.default_rng(0)
    gain = normal_to_cortex(forward)["sol"]["data"]
    names = [label.name for label in labels]
    regions = [names.index("lateraloccipital-lh"), names.index("precentral-rh")]
    offsets = [0, forward["src"][0]["nuse"]]
    middles = [offset + int(np.median(labels[k].vertices)) for k, offset in zip(regions, offsets, strict=True)]
    sources = 1e-8 * rng.standard_normal((2, 600))
    sensors = gain[:, middles] @ sources
    raw = mne.io.RawArray(sensors + 0.1 * sensors.std() * rng.standard_normal(sensors.shape), info, verbose="ERROR")
    recording = reconstruct(raw, forward, [labels[k] for k in regions], method=method)
    assert recording.labels == ("lateraloccipital-lh", "precentral-rh") and recording.kind == "source"
    similar = np.abs(np.corrcoef(recording.ts, sources)[:2, 2:])
    assert similar.diagonal().min() > 0.6 and similar[0, 1] < 0.5 and similar[1, 0] < 0.5


def test_sources_need_a_fitting_forward_solution(eeg) -> None:
    _, forward, labels, _ = eeg
    raw = mne.io.RawArray(np.zeros((1, 10)), mne.create_info(["Q1"], 200.0, "eeg", verbose="ERROR"), verbose="ERROR")
    with pytest.raises(ValueError, match=r"recording.method: found 'beam'; choose from MNE, dSPM"):
        reconstruct(raw, forward, labels, method="beam")
    with pytest.raises(ValueError, match=r"sources: the forward solution lacks channel 'Q1'"):
        reconstruct(raw, forward, labels)


def test_electrodes_without_position(template) -> None:
    info = mne.create_info(["Cz", "Pz", "Fz", "Oz"], 200.0, "eeg", verbose="ERROR")
    with pytest.raises(ValueError, match=r"lead field: 4 channels have no position: Cz, Pz, Fz, Oz; set"):
        template_forward(info, *template, "eeg")


def test_forward_files(tmp_path: Path, eeg) -> None:
    _, forward, labels, field = eeg
    mne.write_forward_solution(tmp_path / "a-fwd.fif", forward, overwrite=True, verbose="ERROR")
    again = region_lead_field(read_forward(tmp_path / "a-fwd.fif"), labels)
    np.testing.assert_allclose(again.gain, field.gain, rtol=1e-4, atol=1e-4 * np.abs(field.gain).max())
    (tmp_path / "b-fwd.fif").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"b-fwd.fif: not a forward solution of MNE"):
        read_forward(tmp_path / "b-fwd.fif")
    with pytest.raises(ValueError, match=r"lead field: region far-lh has no source"):
        region_lead_field(forward, [mne.Label([99999], hemi="lh", name="far-lh")])


def test_meg_template_reaches_every_region(template) -> None:
    rng = np.random.default_rng(0)
    away = rng.standard_normal((20, 3))
    away[:, 2] = np.abs(away[:, 2])
    away *= 0.11 / np.linalg.norm(away, axis=1, keepdims=True)
    info = mne.create_info([f"M{k}" for k in range(20)], 200.0, "mag", verbose="ERROR")
    for channel, place in zip(info["chs"], away, strict=True):
        z = place / np.linalg.norm(place)
        x = np.cross(z, [1, 0, 0])
        x /= np.linalg.norm(x)
        channel["loc"][:] = np.concatenate([place, x, np.cross(z, x), z])
        channel["coil_type"] = mne.io.constants.FIFF.FIFFV_COIL_POINT_MAGNETOMETER
    field = region_lead_field(*template_forward(info, *template, "meg"))
    assert field.gain.shape == (20, 68) and np.abs(field.gain).max(axis=0).min() > 0


def test_sources_that_fall_out_of_the_sphere_are_told_not_lost(template, eeg, monkeypatch) -> None:
    """MNE drops sources beyond the inner skull without a word; a share of 0.97 of its radius keeps all."""
    info, whole, labels, _ = eeg
    assert whole["nsource"] == sum(len(source["rr"]) for source in whole["src"]) and len(labels) == 68
    monkeypatch.setattr(forward, "INSIDE", 1.3)
    with pytest.raises(ValueError, match=r"lead field: \d+ of 20484 sources fell out of the head"):
        template_forward(info, *template, "eeg")


def test_points_outside_are_drawn_in_along_their_radius() -> None:
    points = np.array([[0.0, 0, 0.05], [0, 0.3, 0.04], [0, 0, 0.04]])
    drawn = forward.clamp_to_sphere(points, np.array([0, 0, 0.04]), 0.08)
    np.testing.assert_allclose(drawn, [[0, 0, 0.05], [0, 0.08, 0.04], [0, 0, 0.04]], atol=1e-12)


def test_a_meg_helmet_whose_place_is_unknown_stands_over_the_head() -> None:
    """MNE's canonical sensors say nothing of it: without 4 cm up the helmet cuts through the brain."""
    info = mne.channels.read_meg_canonical_info("neuromag")
    np.testing.assert_array_equal(info["dev_head_t"]["trans"], np.eye(4))
    placed = forward.place_device(info, "meg")
    np.testing.assert_allclose(placed["dev_head_t"]["trans"][:3, 3], [0, 0, 0.04])
    nowhere = placed.copy()
    with nowhere._unlock():
        nowhere["dev_head_t"] = None
    np.testing.assert_allclose(forward.place_device(nowhere, "meg")["dev_head_t"]["trans"][2, 3], 0.04)
    moved = placed.copy()
    with moved._unlock():
        moved["dev_head_t"] = mne.transforms.Transform("meg", "head", mne.transforms.translation(0, 0, 0.02))
    np.testing.assert_allclose(
        forward.place_device(moved, "meg")["dev_head_t"]["trans"][2, 3], 0.02
    )  # what is said stays
    places = np.array([channel["loc"][:3] for channel in info["chs"]]) + np.array([0, 0, 0.04])
    assert np.linalg.norm(places - forward.CENTRE, axis=1).min() > forward.MEG_RADIUS
