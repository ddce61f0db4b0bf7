"""Studies beside the one that is asked for, and names: nobody's broken files stop anybody else."""

import re

import pytest
from vbiflow_paths import HCP

STRAY = {
    "._tiny.yaml": b"\x00\x05\x16\x07\x00\xb0",
    "other.yaml": "title: Prüfung\n".encode("latin-1"),
    "half.yaml": b"title: [",
}
