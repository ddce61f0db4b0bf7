"""The clock that work is timed by."""

from __future__ import annotations

import time
from collections.abc import Callable


def clock_of(device: str) -> Callable[[], float]:
    """Seconds: of the processor on a CPU, where other work on the machine does not count, on a GPU those that pass."""
    return time.process_time if device == "cpu" else time.perf_counter
