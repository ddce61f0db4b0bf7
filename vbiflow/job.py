"""What every script of the workflow does around its one library call: log, thread limits, one-line errors, progress."""

from __future__ import annotations

import contextlib
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from threadpoolctl import threadpool_limits

from vbiflow.io import Progress


@contextlib.contextmanager
def job(snakemake: Any) -> Iterator[Progress]:
    """Run a rule's work: output goes to the rule's log, a ValueError becomes one line on the terminal and exit status 1.

    Yields a `Progress` to hand to long work: it writes done, rate and time left to log and terminal.
    """
    terminal = sys.stderr
    label = f"{snakemake.rule} {' '.join(snakemake.wildcards)}".strip()
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", buffering=1) as log, contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(log))
        stack.enter_context(contextlib.redirect_stderr(log))
        stack.enter_context(threadpool_limits(snakemake.threads))
        try:
            yield Reporter(label, log, terminal)
        except ValueError as error:
            traceback.print_exc(file=log)
            print(f"{label}: {error}", file=terminal)
            raise SystemExit(1) from None
        except Exception:
            traceback.print_exc(file=log)
            raise


class Reporter:
    """Progress lines: every `interval` seconds to the terminal and the log, and once at the end."""

    def __init__(self, label: str, log: TextIO, terminal: TextIO, interval: float = 5.0) -> None:
        self.label, self.streams, self.interval = label, (log, terminal), interval
        self.begin = self.last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.last < self.interval and done < total:
            return
        self.last = now
        rate = done / max(now - self.begin, 1e-9)
        left = f"{duration((total - done) / rate)} left" if done < total and rate > 0 else duration(now - self.begin)
        self.line(f"{done}/{total}, {rate:.3g}/s, {left}")

    def line(self, text: str) -> None:
        """Say one thing, on the terminal and in the log."""
        for stream in self.streams:
            print(f"{self.label}: {text}", file=stream, flush=True)


def duration(seconds: float) -> str:
    """Seconds as people write them: 8 s, 4 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
