"""The sensor path as a whole: recordings simulated with known parameters, saved as FIF, read back, inferred from."""

import json

import mne
import numpy as np
import pytest

from vbiflow.io import read

FOLDER = "results/eeg_recovery@quick"


@pytest.mark.slow
def test_posteriors_hold_the_parameters_that_made_the_recordings(copy):
    done = copy.snakemake("--notemp", f"{FOLDER}/report.html", timeout=3000)
    assert done.returncode == 0, done.stdout[-4000:]
    folder = copy.path / FOLDER / "subjects"
    inside = []
    for k in (1, 2, 3):
        subject = folder / f"simulated-{k}"
        raw = mne.io.read_raw(subject / "recording_raw.fif", verbose="ERROR")
        assert len(raw.ch_names) == 64 and raw.info["sfreq"] == 200 and raw.times[-1] == pytest.approx(14.995)
        samples = read(subject / "samples.h5", "theta", "truth")
        low, high = np.quantile(samples["theta"], [0.05, 0.95], axis=0)
        inside += ((low <= samples["truth"]) & (samples["truth"] <= high)).tolist()
        assert json.loads((subject / "verdict.json").read_text())["misspecification"]["inside"]
        assert (subject / "figures" / "topography.svg").stat().st_size > 10_000
    assert sum(inside) >= 5  # of six; each lies in its 90 % interval nine times of ten
