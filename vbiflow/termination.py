"""SIGTERM, by which clusters end a job before SIGKILL: unfinished files go, a training saves its state first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STATUS = 128 + signal.SIGTERM
STATE = {"deferred": False, "asked": False}


def handle_termination() -> None:
    """End by SystemExit where SIGTERM comes, so that what is being written is removed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminate)


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
    """Whether SIGTERM has come."""
    return STATE["asked"]


def end_if_asked() -> None:
    """End here if SIGTERM has come."""
    if termination_asked():
        STATE["asked"] = False
        raise SystemExit(STATUS)
