"""The connectome itself and its quality: stored and read back, delays, every finding provoked."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vbiflow.connectome import CHECKS, Connectome, inspect, read_connectome

N = 20


def made() -> Connectome:
    """A sound connectome: ten mirror pairs on a half circle, weights falling with distance, counterparts favoured."""
    angle = np.linspace(0.2, 2.9, N // 2)
    left = np.stack([-10 - 40 * np.sin(angle), 60 * np.cos(angle), 20 * np.sin(2 * angle)], axis=1)
    centres = np.concatenate([left, left * [-1, 1, 1]])
    distances = np.linalg.norm(centres[:, None] - centres, axis=-1)
    weights = np.where(distances < 90, np.exp(-distances / 30), 0.0)
    for k in range(N // 2):
        weights[k, k + N // 2] = weights[k + N // 2, k] = 0.9
    np.fill_diagonal(weights, 0)
    labels = tuple(f"{side}_r{k}" for side in "LR" for k in range(N // 2))
    sides = ("L",) * (N // 2) + ("R",) * (N // 2)
    return Connectome(weights, 1.3 * distances, labels, centres, sides, ("n",) * N)


def changed(**fields: np.ndarray | tuple) -> Connectome:
    return replace(made(), **fields)


def without_region(weights: np.ndarray, k: int) -> np.ndarray:
    weights = weights.copy()
    weights[k] = weights[:, k] = 0
    return weights


def shuffled() -> Connectome:
    order = np.random.default_rng(1).permutation(N)
    return changed(tract_lengths=made().tract_lengths[np.ix_(order, order)])


def swapped() -> Connectome:
    """Right regions in reversed order: a region's counterpart is no longer across."""
    order = np.r_[: N // 2, N - 1 : N // 2 - 1 : -1]
    weights = made().weights[np.ix_(order, order)]
    return changed(weights=weights, tract_lengths=np.full((N, N), np.nan))


SOUND = made()
PROVOKED = {
    "negative": (changed(weights=SOUND.weights * np.where(np.arange(N) == 3, -1, 1)), "severe"),
    "all_zero": (changed(weights=np.zeros((N, N))), "severe"),
    "isolated": (changed(weights=without_region(SOUND.weights, 4)), "severe"),
    "asymmetric": (changed(weights=np.triu(SOUND.weights) * 2 + np.tril(SOUND.weights)), "warning"),
    "density": (changed(weights=SOUND.weights + 0.01 * ~np.eye(N, dtype=bool)), "warning"),
    "heavy_tail": (changed(weights=SOUND.weights**9), "note"),
    "outliers": (
        changed(
            weights=SOUND.weights * np.where(np.arange(N) == 6, 1e-4, 1)[:, None] * np.where(np.arange(N) == 6, 1e-4, 1)
        ),
        "warning",
    ),
    "zero_lengths": (changed(tract_lengths=np.where(np.arange(N) == 2, 0, SOUND.tract_lengths)), "warning"),
    "length_unit": (changed(tract_lengths=SOUND.tract_lengths / 10), "severe"),
    "short_lengths": (changed(tract_lengths=SOUND.tract_lengths * 0.5), "severe"),
    "order": (shuffled(), "severe"),
    "hemispheres": (changed(centres=SOUND.centres * [-1, 1, 1]), "severe"),
    "homotopic": (swapped(), "severe"),
}


def test_sound_connectome_has_no_finding() -> None:
    assert inspect(SOUND).findings == ()


def test_every_check_is_provoked() -> None:
    assert PROVOKED.keys() == CHECKS.keys()


@pytest.mark.parametrize("name", PROVOKED)
def test_finding(name: str) -> None:
    connectome, severity = PROVOKED[name]
    finding = CHECKS[name](connectome)
    assert finding is not None and (finding.name, finding.severity) == (name, severity) and "\n" not in finding.text


@pytest.mark.parametrize("factor", [1e-3, 100])
def test_lengths_of_a_wrong_unit_are_found_without_centres(factor: float) -> None:
    lengths = SOUND.tract_lengths
    unknown = np.full((N, 3), np.nan)
    assert CHECKS["length_unit"](changed(centres=unknown)) is None
    finding = CHECKS["length_unit"](changed(centres=unknown, tract_lengths=lengths * factor))
    assert finding.severity == "severe" and "as in no brain; give them in mm" in finding.text


def test_findings_about_lengths_name_their_file() -> None:
    metres = changed(tract_lengths=SOUND.tract_lengths / 1000)
    with pytest.raises(ValueError, match=r"^l\.mat: tracts are .*; correct it, or write connectome.accept: \[length"):
        inspect(metres, ["short_lengths"], "w.mat", "l.mat")
    both = replace(PROVOKED["negative"][0], tract_lengths=metres.tract_lengths)
    with pytest.raises(
        ValueError,
        match=r"^w\.mat: \d+ weights are below zero, the first from \w+ to \w+; l\.mat: tracts are ",
    ):
        inspect(both, ["short_lengths"], "w.mat", "l.mat")


@pytest.mark.parametrize("name", ["negative", "all_zero"])
def test_of_weights_that_are_none_nobody_asks_about_sides(name: str) -> None:
    connectome = PROVOKED[name][0]
    with pytest.raises(ValueError, match=rf"^w\.mat: [^;]*; correct it, or write connectome\.accept: \[{name}\]"):
        inspect(connectome, ["isolated"], "w.mat")


def test_an_order_of_regions_that_no_distance_explains_is_told_without_tract_lengths() -> None:
    order, distances = np.random.default_rng(2).permutation(N), SOUND.tract_lengths / 1.3
    mixed = changed(weights=SOUND.weights[np.ix_(order, order)], tract_lengths=distances)
    finding = CHECKS["order"](mixed)
    assert finding.severity == "warning" and "weights do not fall with the distance of centres" in finding.text
    assert CHECKS["order"](changed(tract_lengths=distances)) is None


def test_centres_in_other_axes_are_told() -> None:
    finding = CHECKS["hemispheres"](changed(centres=SOUND.centres[:, [1, 0, 2]]))
    assert finding.severity == "warning" and "they are not in MNI space" in finding.text


def test_names_that_say_another_hemisphere_than_their_column_are_told_without_centres() -> None:
    other = tuple("L" if side == "R" else "R" for side in SOUND.hemispheres)
    finding = CHECKS["hemispheres"](changed(hemispheres=other, centres=np.full((N, 3), np.nan)))
    assert finding.severity == "severe"
    assert finding.text.startswith(f"the names of {N} regions say another hemisphere than their column: ")
    one = (other[0], *SOUND.hemispheres[1:])
    assert CHECKS["hemispheres"](changed(hemispheres=one, centres=np.full((N, 3), np.nan))) is None


@pytest.mark.parametrize("name", [name for name, (_, severity) in PROVOKED.items() if severity == "severe"])
def test_severe_finding_stops_unless_accepted(name: str) -> None:
    connectome, _ = PROVOKED[name]
    others = [other for other in CHECKS if other != name]
    cure = "correct it, leave regions out by connectome.select" if name == "isolated" else "correct it"
    with pytest.raises(ValueError, match=rf"w\.mat: .*; {re.escape(cure)}, or write connectome\.accept: \[{name}\]"):
        inspect(connectome, others, "w.mat")
    assert name in [finding.name for finding in inspect(connectome, list(CHECKS)).findings]


def test_accepting_an_unknown_finding() -> None:
    with pytest.raises(
        ValueError, match=r"connectome.accept: unknown finding 'island'; choose from negative, all_zero"
    ):
        inspect(SOUND, ["island"])


def test_real_connectomes_have_the_known_flaws(catalogue_file) -> None:
    def findings(name: str) -> dict[str, str]:
        connectome = read_connectome(catalogue_file("tvb", f"connectivity_{name}.zip"))
        return {finding.name: finding.text for finding in inspect(connectome, list(CHECKS)).findings}

    assert "rCC, lCC" in findings("76")["isolated"] and "asymmetric" in findings("76")
    assert "22 connections" in findings("192")["zero_lengths"]
    assert "diagonal" in findings("68")


def test_round_trip(tmp_path: Path) -> None:
    connectome = inspect(PROVOKED["density"][0])
    connectome.save(tmp_path / "c.h5", {"study": "s"})
    again = Connectome.load(tmp_path / "c.h5")
    for name in ("weights", "tract_lengths", "centres"):
        np.testing.assert_array_equal(getattr(again, name), getattr(connectome, name))
    assert (again.labels, again.hemispheres, again.networks) == (
        connectome.labels,
        connectome.hemispheres,
        connectome.networks,
    )
    assert again.findings == connectome.findings and again.findings


def test_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.h5"
    SOUND.save(path, {})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"c.h5: damaged"):
        Connectome.load(path)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"tract_lengths has shape \(3, 3\), but 20 regions need \(20, 20\)"):
        changed(tract_lengths=np.zeros((3, 3)))


def test_delays() -> None:
    delays = SOUND.delays(5.0)
    target, source = np.nonzero(SOUND.weights)
    np.testing.assert_allclose(delays[target, source] * 5.0, SOUND.tract_lengths[target, source])
    assert not delays[SOUND.weights == 0].any()
    with pytest.raises(ValueError, match=r"speed is 0 m/s; allowed is above 0"):
        SOUND.delays(0)
    with pytest.raises(ValueError, match="a speed needs tract lengths"):
        changed(tract_lengths=np.full((N, N), np.nan)).delays(3)


def test_take_keeps_target_and_source_apart() -> None:
    weights = np.arange(N * N, dtype=float).reshape(N, N)
    part = changed(weights=weights).take([7, 2])
    np.testing.assert_array_equal(part.weights, [[weights[7, 7], weights[7, 2]], [weights[2, 7], weights[2, 2]]])
    assert part.labels == ("L_r7", "L_r2")
