"""Loaded by every Python process of a traced run: notes which functions of the checkout a job calls.

Two jobs of each script will do. What is called while a module of the library loads does not count.
"""

import atexit
import json
import os
import sys
import threading
from pathlib import Path

ROOT, FOLDER = os.environ["TRACED"] + os.sep, Path(os.environ["TRACES"])
SCRIPT = next((part for part in sys.orig_argv if "/.snakemake/scripts/" in part), "")
NAME = Path(SCRIPT).stem.partition(".")[2]  # tmp1a2b3c.simulate.py
seen, ran = set(), set()


def note(frame, event, argument):
    code = frame.f_code
    if code not in seen:
        if not code.co_filename.startswith(ROOT):
            seen.add(code)
        elif not loading(frame):
            seen.add(code)
            ran.add((code.co_filename.removeprefix(ROOT), code.co_firstlineno))


def loading(frame):
    """Whether a module of the library is being loaded."""
    while frame:
        code = frame.f_code
        if code.co_name == "<module>" and code.co_filename.startswith(f"{ROOT}vbiflow{os.sep}"):
            return True
        frame = frame.f_back
    return False


def save():
    sys.settrace(None)
    (FOLDER / f"{NAME}-{os.getpid()}.json").write_text(
        json.dumps(sorted(entry for entry in ran if entry[0].startswith("vbiflow")))
    )


if NAME and len(list(FOLDER.glob(f"{NAME}-*.json"))) < 2:
    atexit.register(save)
    threading.settrace(note)
    sys.settrace(note)
