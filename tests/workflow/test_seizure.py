"""The seizure of a patient: an intracranial recording in arbitrary units with a mark, from file to report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from checkout import Copy

from vbiflow.connectome.region_tables import read_regions
from vbiflow.engine import simulate
from vbiflow.io import read, read_attributes
from vbiflow.provenance import ROOT

FS, MARK, WHOLE = 250.0, 25.0, 110.0
TRUTH = {"G": 1.0, "constant": -3.65, "onset": 2.05, "spread": 1.25}
CONTACTS = read_regions(ROOT / "resources" / "sensors" / "seeg.tsv")


def seizure(data: Path) -> np.ndarray:
    """What the contacts of a patient hear (n_contacts, 790) in 79 s from 5 s before the mark, baseline at zero."""
    archive = np.load(data / "tvboptim-dk" / "connectome.npz")
    weights = archive["weights"] * (1 - np.eye(len(archive["weights"])))
    zones = read_regions(ROOT / "resources" / "sensors" / "zones.tsv")
    regions = read_regions(ROOT / "resources" / "atlases" / "dk.tsv")
    onset, spread = (np.array(zones.columns[name], float) for name in ("onset", "spread"))
    parameters = {
        "eta": TRUTH["constant"] + TRUTH["onset"] * onset + TRUTH["spread"] * spread,
        "G": TRUTH["G"],
        "tau": 90.0,
        "I": 3.1,
    }
    found = simulate(
        "epileptor_2d", weights / weights.max(), parameters,
        n_simulations=1, duration=79.0, transient=1.0, dt=0.1, integrator="heun", seed=3,
        signals={"x": {"period": 0.1}},
    )  # fmt: skip
    distances = np.linalg.norm(CONTACTS.centres[:, None] - regions.centres, axis=-1)
    heard = found.ts["x"][0].T @ (1 / np.maximum(distances, 1.0) ** 2).T
    return np.maximum(heard - heard[:30].mean(axis=0), 0).T


def recorded(envelopes: np.ndarray) -> np.ndarray:
    """Fast discharges (n_contacts, n_times) at FS that swell as envelopes do, on a background, in some unit."""
    rng, n = np.random.default_rng(5), int(WHOLE * FS)
    carrier = np.fft.rfft(rng.standard_normal((len(envelopes), n)))
    frequencies = np.fft.rfftfreq(n, 1 / FS)
    carrier = np.fft.irfft(carrier * ((frequencies > 15) & (frequencies < 50)), n)
    carrier /= carrier.std(axis=1, keepdims=True)
    times = np.arange(n) / FS - (MARK - 5.0)
    swell = np.array([np.interp(times, np.arange(790) / 10, one, left=0, right=0) for one in envelopes])
    slow = np.cumsum(rng.standard_normal((len(envelopes), n)), axis=1) / np.sqrt(FS)
    return 4.0e4 * (swell * carrier + 2e-3 * carrier[::-1]) + 5 * slow


def write_brainvision(path: Path, data: np.ndarray, marks: dict[str, float]) -> None:
    """A recording as BrainVision's three files, whose unit is that of the amplifier's numbers."""
    data.T.astype("<f4").tofile(path.with_suffix(".eeg"))
    channels = "\n".join(f"Ch{k + 1}={label},,1," for k, label in enumerate(CONTACTS.labels))
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\nMarkerFile={path.stem}.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        f"NumberOfChannels={len(data)}\nSamplingInterval={1e6 / FS:g}\n\n[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n\n"
        f"[Channel Infos]\n{channels}\n"
    )
    lines = "\n".join(
        f"Mk{k}=Comment,{text},{int(seconds * FS) + 1},1,0" for k, (text, seconds) in enumerate(marks.items(), start=1)
    )
    path.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\n\n[Marker Infos]\n{lines}\n"
    )


def documented() -> dict:
    """The block `recording` that docs/data.md gives for a real seizure."""
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    (block,) = (found for found in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "seizure" in found)
    return yaml.safe_load(block)["recording"]


@pytest.mark.slow
def test_a_patients_seizure_from_file_to_report(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "vbiflow")
    done = copy.snakemake("--", "resources/data/tvboptim-dk/connectome.npz")
    assert done.returncode == 0, done.stdout[-3000:]
    envelopes = seizure(copy.path / "resources" / "data")
    write_brainvision(copy.path / "patient.vhdr", recorded(envelopes), {"start": 0.0, "SZ onset": MARK})
    row = (copy.path / "config/cohorts/epileptor_seeg.tsv").read_text().splitlines()[1].split("\t")
    row = ["patient", *row[1:4], "patient.vhdr", "seeg"]
    header = ["participant_id", "weights", "tract_lengths", "regions", "recording", "kind"]
    (copy.path / "config/cohorts/patient.tsv").write_text("\t".join(header) + "\n" + "\t".join(row) + "\n")
    study = yaml.safe_load((copy.path / "config/studies/epileptor_seeg.yaml").read_text())
    study |= {"cohort": "patient", "recording": documented()}
    del study["truth"]
    study["inference"] = {"n_simulations": 1200, "max_epochs": 200}
    study["diagnostics"] = {"n_predictive": 30}
    (copy.path / "config/studies/patient.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    done = copy.snakemake("results/patient/report.html", timeout=2400)
    assert done.returncode == 0, done.stdout[-4000:]
    found = copy.path / "results/patient/subjects/patient"
    notes = read_attributes(found / "x_o.h5")
    assert notes["recording_file"] == "patient.vhdr" and notes["recording_channels"] == len(CONTACTS)
    assert notes["recording_duration"] == pytest.approx(79) and notes["recording_rate"] == pytest.approx(10)
    with h5py.File(found / "x_o.h5") as file:
        names, x_o = list(file["names"].asstr()[()]), file["x"][()]
    level = 0.05 * np.ptp(envelopes)
    loud = np.flatnonzero(envelopes.max(axis=1) > 1.2 * level)
    assert len(loud) >= 3
    for k in loud:
        rises = 1e-4 * int((envelopes[k] > level).argmax())
        assert x_o[names.index(f"onset[{CONTACTS.labels[k]}]")] == pytest.approx(rises, abs=1.5e-3)
    samples = read(found / "samples.h5", "theta", "names")
    low, high = np.quantile(samples["theta"], [0.05, 0.95], axis=0)
    bounds = dict(zip(samples["names"], zip(low, high, strict=True), strict=True))
    assert bounds["eta.onset"][0] - 0.2 < TRUTH["onset"] < bounds["eta.onset"][1] + 0.2
    assert json.loads((found / "verdict.json").read_text())["verdict"] in ("trusted", "not trusted")
    page = (copy.path / "results/patient/report.html").read_text()
    assert (
        "patient.vhdr, SEEG, 79 s used, 64 channels, 10 samples a second, a simulated second stands for 1000 s" in page
    )
