"""What every script does around its one library call: log, threads, one-line errors, progress, provenance."""

from __future__ import annotations

import atexit
import contextlib
import errno
import hashlib
import io
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from h5py import h5f
from threadpoolctl import threadpool_limits

from vbiflow.contents import Contents
from vbiflow.exclusion import Exclusion, first_exclusion, read_exclusion, write_exclusion
from vbiflow.io import read_attributes
from vbiflow.lock import hold_job
from vbiflow.provenance import file_digest, settings_digest, versions
from vbiflow.reading import describe_unreadable
from vbiflow.seal import made_with, verify_input
from vbiflow.termination import STATUS, handle_termination, resource_name, termination_asked

FULL = {
    errno.ENOSPC: "nothing is half written: make room and run again",
    errno.EDQUOT: "nothing is half written: make room and run again",
    errno.EROFS: "nothing is written: make the results folder writable and run again",
    errno.EACCES: "nothing is written: make the results folder writable and run again",
    errno.EIO: "look at the disk, then run again",
}
"""Errors of a file system, with what is to be done."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables that libraries for linear algebra read when they are loaded."""
NOT_PINNED = "not the content that the catalogue of datasets pins; delete it and run again"


class Run:
    """One job at work: call it with (done, total) to tell progress, ask it for the provenance of its output."""

    def __init__(self, snakemake: Any, streams: tuple[TextIO, ...], interval: float = 5.0) -> None:
        self.snakemake, self.streams, self.interval = snakemake, streams, interval
        self.label = f"{snakemake.rule} {' '.join(snakemake.wildcards)}".strip()
        self.begin = self.last = time.monotonic()
        known = getattr(snakemake, "config", {}).get("vbiflow", {})
        self.results, self.studies = known.get("results", "results/"), known.get("settings", {})
        now = self.studies.get(snakemake.wildcards.get("study", ""), {})
        self.settings = {name: now[name] for name in known.get("rules", {}).get(snakemake.rule, ()) if name in now}

    def __call__(self, done: int, total: int) -> None:
        """Write done, rate and time left, every `interval` seconds and at the end."""
        if done < total and not self.due():
            return
        now = time.monotonic()
        rate = done / max(now - self.begin, 1e-9)
        left = (
            f"{format_duration((total - done) / rate)} left"
            if done < total and rate > 0
            else format_duration(now - self.begin)
        )
        self.say(f"{done}/{total}, {rate:.3g}/s, {left}")

    def epoch(self, epoch: int, loss: float, which: str = "") -> None:
        """Write the epoch of a training, of `which` network, and its validation loss, every `interval` seconds."""
        if self.due():
            told = f"{which}: epoch {epoch}" if which else f"epoch {epoch}"
            self.say(f"{told}, validation loss {loss:.3f}, {format_duration(time.monotonic() - self.begin)}")

    def due(self) -> bool:
        """Whether the last line is `interval` seconds old; if so, the next one is waited for from now."""
        now = time.monotonic()
        if now - self.last < self.interval:
            return False
        self.last = now
        return True

    def say(self, text: str) -> None:
        """One line on the terminal and in the log."""
        for stream in self.streams:
            print(f"{self.label}: {text}", file=stream, flush=True)

    def verify_inputs(self) -> None:
        """Refuse results that are damaged, or were made for another place, with another seed or other settings.

        Also a file that people bring if it changed since the run began, or is not what the catalogue pins.
        """
        seed, own = self.snakemake.params.get("seed", -1), self.snakemake.wildcards.get("study", "")
        for path in filter(self.is_result, map(str, self.snakemake.input)):
            study = path.removeprefix(self.results).partition("/")[0]  # one compared with has settings of its own
            known = verify_input(path, seed if study == own else -1, self.studies.get(study, {}))
            self.settings |= known if study == own else {}
        contents = self.snakemake.params.get("contents", {})
        digests = Contents() if contents else None
        for path, planned in contents.items():
            expected, _, other = planned.partition(", found ")
            if expected and digests.digest(path) != expected:
                raise ValueError(f"{path}: {NOT_PINNED if other else 'changed since the run began; run again'}")

    def is_result(self, path: str) -> bool:
        """Whether a file is a sealed result of the workflow, wherever the results lie."""
        return path.startswith(self.results) and not path.endswith(".html")

    def key(self, *more: Any) -> str:
        """A name for the work of this job: it changes with settings, code, the bytes of the inputs and `more`."""
        made_of = self.provenance() | {"versions": "", "sources": ""}
        digests = [file_digest(path) for path in map(str, self.snakemake.input)]
        return hashlib.blake2b(repr((made_of, digests, more)).encode(), digest_size=8).hexdigest()

    def provenance(self) -> dict[str, Any]:
        """Study, rule, seed, hash of settings and code, versions, and the sources of the data in the inputs."""
        params = dict(self.snakemake.params.items())
        sources = {source["name"]: source for source in params.get("sources", [])}
        for path in map(str, self.snakemake.input):
            if path.endswith(".h5") and self.is_result(path) and read_exclusion(path) is None:
                sources |= {source["name"]: source for source in read_attributes(path).get("sources", [])}
        return {
            "study": self.snakemake.wildcards.get("study", ""),
            "rule": self.snakemake.rule,
            "seed": params.get("seed", -1),
            "code": params.pop("code", ""),
            "config_hash": settings_digest(params),
            "versions": versions(),
            "sources": list(sources.values()),
        }


@contextlib.contextmanager
def job(snakemake: Any, *, excludes: str = "", reads_exclusions: bool | str = False) -> Iterator[Run]:
    """Run a rule's work: output goes to its log; a ValueError becomes one line on the terminal and exit status 1.

    In a job that `excludes` (a wildcard, subject or estimator) the ValueError is about that person's files: an
    exclusion with the reason takes the place of the outputs, and of all that other jobs would make of them, unless they
    are to read exclusions, of all inputs or of those of one name. So nobody else has to stop.
    """
    terminal = sys.stderr
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_log(path) as log, contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(log))
        stack.enter_context(contextlib.redirect_stderr(log))
        stack.enter_context(limit_threads(snakemake.threads))
        run = Run(snakemake, (log, terminal))
        stack.enter_context(silence_hdf5())
        hold_job()
        handle_termination()
        known = set(snakemake.input if reads_exclusions is True else snakemake.input.get(reads_exclusions or "", []))
        try:
            run.verify_inputs()
            found = first_exclusion(path for path in snakemake.input if path not in known)
        except ValueError as error:
            run.say(str(error))
            raise SystemExit(1) from None
        except PermissionError as error:
            run.say(describe_unreadable(error.filename))
            raise SystemExit(1) from None
        stack.enter_context(made_with(run.settings))
        if found:
            print(f"{run.label}: nothing to do, as {found.excluded} is left out: {found.reason}", file=log)
            write_exclusion(found, snakemake.output)
            raise SystemExit(0)
        try:
            yield run
        except ValueError as error:
            traceback.print_exc(file=log)
            if termination_asked():  # a library took the signal for a fault of the file that it read
                run.say("ended from outside; run again to go on")
                raise SystemExit(STATUS) from None
            if excludes:
                found = Exclusion(snakemake.wildcards[excludes], snakemake.rule, str(error))
                write_exclusion(found, snakemake.output)
                print(f"{run.label}: {found.excluded} is left out: {error}", file=terminal)
                raise SystemExit(0) from None
            print(f"{run.label}: {error}", file=terminal)
            raise SystemExit(1) from None
        except SystemExit as ended:
            if ended.code == STATUS:
                run.say("ended by SIGTERM; run again to go on")
            raise
        except Exception as error:
            reason = describe_shortage(error, snakemake.rule, next(iter(snakemake.output), ""))
            if not reason:
                traceback.print_exc(file=log)
                raise
            print(f"{run.label}: {reason}", file=log)
            print(f"{run.label}: {reason}", file=terminal)
            atexit.register(leave_datasets_open)
            raise SystemExit(1) from None


class LogFile(io.FileIO):
    """A file that takes what there is room for: a log on a full disk is no reason for a job to fail."""

    def write(self, content: Any) -> int:
        """Write, or leave out what the disk refuses."""
        try:
            return super().write(content)
        except OSError:
            return len(content)


def open_log(path: Path) -> TextIO:
    """A log, written line by line."""
    return io.TextIOWrapper(io.BufferedWriter(LogFile(path, "w")), encoding="utf-8", line_buffering=True)


@contextlib.contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """So many threads for linear algebra, of the libraries that are loaded now and of those that are loaded inside."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    try:
        with threadpool_limits(threads):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def silence_hdf5() -> Iterator[None]:
    """Leave out what HDF5 says again and again as it closes a file that found no room; the rest is said as ever."""
    before = sys.unraisablehook, sys.excepthook
    sys.unraisablehook = lambda found: None if describe_shortage(found.exc_value, "") else before[0](found)
    sys.excepthook = lambda kind, error, trace: None if describe_shortage(error, "") else before[1](kind, error, trace)
    try:
        yield
    finally:
        sys.unraisablehook, sys.excepthook = before


def leave_datasets_open() -> None:
    """End the process at once if datasets of a file that found no room are open still: HDF5 would crash on them."""
    if h5f.get_obj_count(h5f.OBJ_ALL, h5f.OBJ_DATASET):
        os._exit(1)


def describe_shortage(error: Exception, rule: str, output: str = "") -> str:
    """What the machine ran out of, in one line with the remedy; empty if the error is of another kind.

    HDF5 does not say for which file there was no room; then it was `output`.
    """
    text, code = str(error), getattr(error, "errno", None)
    if isinstance(error, MemoryError) or "allocate memory" in text:
        said = f" ({text.splitlines()[0]})" if text else ""
        return (
            f"out of memory{said}; give it more by resources: {{{resource_name(rule)}: {{mem_mb: ...}}}} in the study"
        )
    for number, remedy in FULL.items():
        if code == number or f"errno = {number}," in text:
            file = getattr(error, "filename", None) or (output if number in (errno.ENOSPC, errno.EDQUOT) else "")
            return f"{os.strerror(number)}{f': {file}' if file else ''}; {remedy}"
    return ""


def format_duration(seconds: float) -> str:
    """Seconds as people write them: 8 s, 4 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
