"""Recordings of people: the same arrays that a simulation yields."""

from vbiflow.empirical.cohort import read_cohort
from vbiflow.empirical.prepare import prepare
from vbiflow.empirical.recording import Recording, check_length, check_tr, clean, read_recording

__all__ = ["Recording", "check_length", "check_tr", "clean", "prepare", "read_cohort", "read_recording"]
