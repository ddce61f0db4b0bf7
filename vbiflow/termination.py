"""SIGTERM, by which clusters end a job before SIGKILL: unfinished files go, a training saves its state first.

And what is said of a job that SIGKILL ended.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STATUS = 128 + signal.SIGTERM
DIED = re.compile(r"\.(\w+)\.py\S* died with <Signals\.\w+")
KILLED = re.compile(r"\.(\w+)\.py\S* (?:died with <Signals.SIGKILL: 9>|returned non-zero exit status 137)")
SPEECHLESS = re.compile(r"Error in rule (\w+):(?:\n    .*)*\nLogfile \S+ not found")
"""A script begins its log once its libraries are loaded."""
VARIANT = re.compile(r"(simulate|features|gather|train|sample|calibrate|figures|report)_(?!report)")
"""Rules that do the same as another, with other files: train_round, simulate_kept."""
STATE = {"deferred": False, "asked": False}


def handle_termination() -> None:
    """End by SystemExit where SIGTERM comes, so that what is being written is removed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminate)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)


def interrupt(*_: Any) -> None:
    """Remember that SIGINT came, and end."""
    STATE["asked"] = True
    raise KeyboardInterrupt


def terminate(*_: Any) -> None:
    """Remember that SIGTERM came, and end unless a place to do so is awaited."""
    STATE["asked"] = True
    if not STATE["deferred"]:
        raise SystemExit(STATUS)


@contextmanager
def defer_termination() -> Iterator[None]:
    """Within the block SIGTERM waits for `end_if_asked`, or for the end of the block."""
    STATE["deferred"] = True
    try:
        yield
    finally:
        STATE["deferred"] = False
    end_if_asked()


def termination_asked() -> bool:
    """Whether SIGTERM or SIGINT has come."""
    return STATE["asked"]


def end_if_asked() -> None:
    """End here if SIGTERM has come."""
    if termination_asked():
        STATE["asked"] = False
        raise SystemExit(STATUS)


def resource_name(rule: str) -> str:
    """The name by which a study's `resources` know a rule or its script: that of the rule whose resources it has."""
    variant = VARIANT.match(rule)
    return variant[1] if variant else {"ablate": "train"}.get(rule, rule)


def describe_ends(logs: str | Sequence[str]) -> list[str]:
    """A line for each script that ended without a word of its own, by the logs of a run of Snakemake."""
    text = "".join(Path(log).read_text(encoding="utf-8") for log in ([logs] if isinstance(logs, str) else logs))
    killed = [
        f"{name}: killed from outside (SIGKILL), most likely for its memory; give it more by "
        f"resources: {{{resource_name(name)}: {{mem_mb: ...}}}} in the study, or run fewer jobs at once"
        for name in dict.fromkeys(KILLED.findall(text))
    ]
    return killed + [
        f"{name}: ended before its work began, while libraries were loaded; with MemoryError or 'failed to map' above, "
        "out of memory: raise the limit (ulimit -v), or run fewer jobs at once"
        for name in dict.fromkeys(SPEECHLESS.findall(text))
        if name not in {*KILLED.findall(text), *DIED.findall(text)}
    ]
