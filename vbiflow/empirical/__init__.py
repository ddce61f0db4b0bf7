"""Recordings of people: the same arrays that a simulation yields."""

from vbiflow.empirical.cohort import read_cohort
from vbiflow.empirical.observe import KINDS, ComparisonSettings, describe_recording, observe, unread_columns
from vbiflow.empirical.recording import Recording, check_length, check_tr, read_recording

__all__ = [
    "KINDS",
    "ComparisonSettings",
    "Recording",
    "check_length",
    "check_tr",
    "describe_recording",
    "observe",
    "read_cohort",
    "read_recording",
    "unread_columns",
]
