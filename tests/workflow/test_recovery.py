"""The sensor path as a whole: recordings simulated with known parameters, saved as FIF, read back, inferred from.

Each parameter lies in its 90 % interval nine times of ten; at most one of a study may lie outside.
"""

import json

import mne
import numpy as np
import pytest

from vbiflow.io import read

STUDIES = {
    "eeg_recovery@quick": ("eeg", 64, 3),
    "eeg_recovery@sources": ("eeg", 64, 3),
    "meg_recovery": ("mag", 102, 2),
    "seeg_recovery": ("seeg", 64, 2),
}
"""Type and number of the sensors, and of the people."""


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_posteriors_hold_the_parameters_that_made_the_recordings(copy, study):
    kind, n_sensors, n_people = STUDIES[study]
    folder = copy.path / "results" / study / "subjects"
    people = [folder / f"simulated-{k + 1}" for k in range(n_people)]
    whole = [f"results/{study}/report.html"] if study == "eeg_recovery@quick" else []  # figures are the same for all
    verdicts = [f"results/{study}/subjects/{person.name}/verdict.json" for person in people]
    done = copy.snakemake("--notemp", *whole, *verdicts, timeout=3000)
    assert done.returncode == 0, done.stdout[-4000:]
    inside = []
    for person in people:
        raw = mne.io.read_raw(person / "recording_raw.fif", verbose="ERROR")
        assert raw.get_channel_types() == [kind] * n_sensors
        assert raw.info["sfreq"] == 200 and raw.times[-1] == pytest.approx(14.995)
        samples = read(person / "samples.h5", "theta", "truth")
        low, high = np.quantile(samples["theta"], [0.05, 0.95], axis=0)
        inside += ((low <= samples["truth"]) & (samples["truth"] <= high)).tolist()
        assert json.loads((person / "verdict.json").read_text())["misspecification"]["inside"]
        assert not whole or (person / "figures" / "topography.svg").stat().st_size > 10_000
    assert sum(inside) >= len(inside) - 1
