"""What a script does around its work: log, one-line errors, progress, provenance."""

import contextlib
import errno
import io as text_io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from vbiflow import io, seal
from vbiflow.contents import Contents
from vbiflow.exclusion import Exclusion, not_excluded, read_exclusion, write_exclusion
from vbiflow.job import THREADS, Run, format_duration, job, limit_threads
from vbiflow.termination import STATE, STATUS


class Named(dict):
    """Stands for Snakemake's lists with names, of which each may be of one entry or of several."""

    def __iter__(self):
        for entry in self.values():
            yield from entry if isinstance(entry, list) else [entry]


@pytest.fixture
def snakemake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = {"name": "data", "licence": "CC0", "notice": "n", "citation": "c"}
    io.write("results/tiny/in.h5", {"x": [1]}, {"sources": [source]})
    return SimpleNamespace(
        rule="simulate",
        wildcards=Named(study="tiny", shard="shard-0001"),
        params=Named(seed=3, code="abc", dt=10),
        input=Named(data="results/tiny/in.h5"),
        output=["results/out.h5"],
        log=["logs/simulate.log"],
        threads=1,
    )


def test_output_goes_to_the_log_and_errors_become_one_line(snakemake, capsys):
    with pytest.raises(SystemExit) as stop, job(snakemake):
        print("a detail")
        raise ValueError("weights.csv: found -1; allowed is 0 up")
    captured = capsys.readouterr()
    assert stop.value.code == 1
    assert captured.out == "" and captured.err == "simulate tiny shard-0001: weights.csv: found -1; allowed is 0 up\n"
    log = Path("logs/simulate.log").read_text()
    assert "a detail" in log and "Traceback" in log


def test_faults_of_ours_are_not_hidden(snakemake):
    with pytest.raises(ZeroDivisionError), job(snakemake):
        print(1 // 0)
    assert "ZeroDivisionError" in Path("logs/simulate.log").read_text()


def test_provenance_gathers_sources_and_ignores_code_in_the_settings_hash(snakemake):
    first = Run(snakemake, ()).provenance()
    assert first["sources"][0]["name"] == "data" and first["seed"] == 3 and first["code"] == "abc"
    snakemake.params["code"] = "def"
    assert Run(snakemake, ()).provenance()["config_hash"] == first["config_hash"]
    snakemake.params["dt"] = 5
    assert Run(snakemake, ()).provenance()["config_hash"] != first["config_hash"]


def test_progress_tells_the_end_and_is_rare_before(snakemake):
    stream = text_io.StringIO()
    run = Run(snakemake, (stream,), interval=1e9)
    for done in range(1, 101):
        run(done, 100)
        run.epoch(done, 1.0)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1 and "simulate tiny shard-0001: 100/100" in lines[0]


def test_progress_tells_rate_and_time_left(snakemake):
    stream = text_io.StringIO()
    run = Run(snakemake, (stream,), interval=0)
    run.begin -= 10
    run(25, 100)
    run.epoch(3, 1.25, "all features, member 2 of 4")
    first, second = stream.getvalue().splitlines()
    assert (
        "25/100, 2.5/s, 30 s left" in first and "all features, member 2 of 4: epoch 3, validation loss 1.250" in second
    )


@pytest.mark.parametrize(("seconds", "text"), [(8.2, "8 s"), (240, "4 min"), (9000, "2.5 h")])
def test_durations_as_people_write_them(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(("reads", "worked"), [(False, False), ("pool", True), ("theta", False), (True, True)])
def test_notes_stop_a_job_that_does_not_read_them(snakemake, reads, worked):
    write_exclusion(Exclusion("bob", "connectome", "bob.csv: no such file"), ["results/bob.h5"])
    snakemake.input["pool"], snakemake.output, done = ["results/tiny/in.h5", "results/bob.h5"], ["results/out.h5"], []
    with contextlib.suppress(SystemExit), job(snakemake, reads_exclusions=reads) as run:
        assert run.provenance()["sources"][0]["name"] == "data"
        done.append(not_excluded(snakemake.input["pool"]))
    assert done == ([["results/tiny/in.h5"]] if worked else [])
    assert (read_exclusion("results/out.h5") is None) == worked


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "results/x.h5"),
            "No space left on device: results/x.h5; nothi",
        ),
        (
            OSError("Unable to write (file write failed: errno = 28, error message = 'No"),
            "No space left on device: results/out.h5; nothing",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "results"),
            "Read-only file system: results; nothing is written",
        ),
        (
            MemoryError("Unable to allocate 80 GiB"),
            r"out of memory (Unable to allocate 80 GiB); give it more by resourc",
        ),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "out of memory (DefaultCPUAllocator"),
    ],
    ids=["full", "full in HDF5", "read-only", "memory", "memory of torch"],
)
def test_what_a_machine_runs_out_of_is_said_in_one_line(snakemake, capsys, error, line):
    with pytest.raises(SystemExit) as stopped, job(snakemake):
        raise error
    said = capsys.readouterr().err
    assert stopped.value.code == 1 and said.count("\n") == 1 and f"simulate tiny shard-0001: {line}" in said


def test_inputs_that_are_damaged_or_foreign_stop_a_job_before_its_work(snakemake, capsys):
    whole = Path("results/tiny/in.h5").read_bytes()
    for content in (whole[:-9], whole.replace(b"results/tiny/in.h5", b"results/io.h5")):
        Path("results/tiny/in.h5").write_bytes(content)
        with pytest.raises(SystemExit), job(snakemake, excludes="shard"):
            raise AssertionError("the job began")
        said = capsys.readouterr().err
        assert "simulate tiny shard-0001: results/tiny/in.h5: damaged" in said and "delete it and run again" in said
    io.write("results/tiny/other.h5", {"x": [1]}, {"seed": 3})
    Path("results/tiny/other.h5").replace("results/tiny/in.h5")
    with pytest.raises(SystemExit), job(snakemake):
        raise AssertionError("the job began")
    assert "results/tiny/in.h5: foreign: it was made as results/tiny/other.h5; delete it" in capsys.readouterr().err
    io.write("results/tiny/in.h5", {"x": [1]}, {"seed": 4})
    with pytest.raises(SystemExit), job(snakemake):
        raise AssertionError("the job began")
    assert "results/tiny/in.h5: made with seed 4, the study has 3; delete it" in capsys.readouterr().err
    io.write("results/another/in.h5", {"x": [1]}, {"seed": 4})
    snakemake.input["data"] = "results/another/in.h5"
    with job(snakemake):
        pass  # of another study, which has its own seed


def test_inputs_made_with_other_settings_stop_a_job_and_its_output_tells_all_it_depends_on(snakemake, capsys):
    """Wherever a lab has its results; the settings of another study are compared with that study's."""
    now = {"prior": "a", "features": "b", "diagnostics.scores": "c"}
    snakemake.config = {
        "vbiflow": {
            "results": "derivatives/",
            "rules": {"simulate": ["prior"], "features": ["features"]},
            "settings": {"tiny": now, "other": {"prior": "z"}},
        }
    }
    snakemake.input = Named()
    with job(snakemake):
        io.write("derivatives/tiny/simulations.h5", {"x": [1]}, {"sources": [{"name": "data"}]})
    snakemake.input, snakemake.rule = Named(simulations="derivatives/tiny/simulations.h5"), "features"
    with job(snakemake) as run:
        assert run.provenance()["sources"] == [{"name": "data"}]
        io.write("derivatives/tiny/features.h5", {"x": [1]}, {})
    assert seal.verify("derivatives/tiny/features.h5").settings == {"prior": "a", "features": "b"}
    snakemake.input = Named(features="derivatives/tiny/features.h5")
    snakemake.config["vbiflow"]["settings"]["tiny"] = now | {"diagnostics.scores": "new"}
    with job(snakemake):
        pass
    snakemake.config["vbiflow"]["settings"]["tiny"] = now | {"prior": "new"}
    with pytest.raises(SystemExit), job(snakemake):
        raise AssertionError("the job began")
    said = capsys.readouterr().err
    assert "derivatives/tiny/features.h5: made with another prior than the study has now; delete it" in said


def test_a_file_that_changed_since_the_run_began_or_is_not_as_pinned_stops_a_job(snakemake, capsys):
    Path("weights.csv").write_text("1,2\n")
    snakemake.params["contents"] = {"weights.csv": Contents().digest("weights.csv"), "made.tsv": ""}
    with job(snakemake, excludes="shard"):
        pass
    snakemake.params["contents"]["weights.csv"] += ", found ffff"
    with job(snakemake, excludes="shard"):
        pass  # it was fetched again
    Path("weights.csv").write_text("1,3\n")
    for planned, line in {
        ", found ffff": "not the content that the catalogue",
        "": "changed since the run began",
    }.items():
        snakemake.params["contents"]["weights.csv"] = "0" * 64 + planned
        with pytest.raises(SystemExit), job(snakemake, excludes="shard"):
            raise AssertionError("the job began")
        assert f"weights.csv: {line}" in capsys.readouterr().err


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_nobody_is_left_out_because_a_signal_came_while_a_library_read(snakemake, capsys, monkeypatch, sent):
    monkeypatch.setitem(STATE, "asked", False)
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background has its processes ignore
    snakemake.output = ["results/tiny/x_o.h5"]
    try:
        with pytest.raises(SystemExit) as stop, job(snakemake, excludes="shard"):
            try:
                os.kill(os.getpid(), sent)
                time.sleep(1)
            except BaseException:
                raise ValueError("recording.mat: damaged") from None
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert stop.value.code == STATUS and not Path("results/tiny/x_o.h5").exists()
    assert "ended from outside; run again" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["zeroed", "foreign"])
def test_a_figure_that_is_damaged_or_foreign_stops_the_job_that_reads_its_folder(snakemake, capsys, fault):
    folder = Path("results/tiny/subjects/101309/figures")
    for name in ("fc", "posterior"):
        io.write_text(folder / f"{name}.svg", f"<svg><g id='{name}'/>{'<path/>' * 200}</svg>\n", seals=True)
    snakemake.input["figures"] = [str(folder)]
    with job(snakemake):
        pass
    path = folder / "fc.svg"
    content = path.read_bytes()
    zeroed = content[:100] + bytes(512) + content[612:]
    path.write_bytes(zeroed if fault == "zeroed" else (folder / "posterior.svg").read_bytes())
    with pytest.raises(SystemExit), job(snakemake):
        raise AssertionError("the job began")
    said = capsys.readouterr().err
    assert f"{path}: {'damaged' if fault == 'zeroed' else 'foreign'}: " in said
    assert f"delete the folder {folder} and run again" in said and "delete it" not in said


def test_a_log_on_a_full_disk_stops_no_job(snakemake, capsys):
    Path("logs").mkdir()
    Path("logs/simulate.log").symlink_to("/dev/full")
    with pytest.raises(SystemExit) as stop, job(snakemake) as run:
        print("x" * 100_000)
        run.say("half way")
        raise OSError(errno.ENOSPC, "No space left on device", "results/x.h5")
    assert stop.value.code == 1
    assert capsys.readouterr().err.splitlines() == [
        "simulate tiny shard-0001: half way",
        "simulate tiny shard-0001: No space left on device: results/x.h5; "
        "nothing is half written: make room and run again",
    ]


def test_an_input_that_may_not_be_read_is_one_line(snakemake, capsys, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", "w.csv")

    monkeypatch.setattr("vbiflow.exclusion.read_exclusion", refuse)
    with pytest.raises(SystemExit) as stop, job(snakemake):
        raise AssertionError("the job began")
    assert stop.value.code == 1
    assert (
        capsys.readouterr().err
        == "simulate tiny shard-0001: w.csv: may not be read; ask its owner, or chmod u+r w.csv\n"
    )


def test_datasets_that_a_full_disk_left_open_crash_no_process(tmp_path):
    """HDF5 would close them at exit, and crash."""
    script = (
        "import h5py, vbiflow.job, atexit; atexit.register(vbiflow.job.leave_datasets_open); "
        f"h5py.File({str(tmp_path / 'x.h5')!r}, 'w')['x'] = [1]; kept = h5py.File({str(tmp_path / 'x.h5')!r})['x']"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 1
    assert subprocess.run([sys.executable, "-c", script.partition("kept")[0]]).returncode == 0


def test_the_key_of_a_job_changes_with_what_its_work_depends_on(snakemake):
    key = Run(snakemake, ()).key("cpu")
    assert key == Run(snakemake, ()).key("cpu") != Run(snakemake, ()).key("gpu")
    for change in (lambda: snakemake.params.update(dt=11), lambda: snakemake.params.update(code="def")):
        change()
        assert key != (key := Run(snakemake, ()).key("cpu"))
    io.write("results/tiny/in.h5", {"x": [2]}, {"sources": []})
    assert key != Run(snakemake, ()).key("cpu")


def test_libraries_that_are_loaded_within_a_job_have_its_threads_too():
    """scipy brings linear algebra of its own, which scikit-learn loads when it is first asked for."""
    command = (
        "import numpy; from threadpoolctl import threadpool_info; from vbiflow.job import limit_threads\n"
        "with limit_threads(1):\n    import scipy.linalg\n    found = threadpool_info()\n"
        "print(len(found), *{one['num_threads'] for one in found})"
    )
    plain = {name: value for name, value in os.environ.items() if name not in THREADS}
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True, env=plain)
    n, *threads = done.stdout.split()
    assert int(n) >= 2 and threads == ["1"]


def test_the_environment_is_as_it_was_after_a_job(monkeypatch):
    monkeypatch.setenv(THREADS[0], "7")
    monkeypatch.delenv(THREADS[1], raising=False)
    before = dict(os.environ)
    with limit_threads(2):
        assert {os.environ[name] for name in THREADS} == {"2"}
    assert dict(os.environ) == before
