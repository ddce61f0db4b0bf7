"""Snakemake whose scripts run in forks of one process that has loaded their libraries: many small jobs in little time.

``python forked.py ARGUMENTS`` stands for ``python -m snakemake ARGUMENTS``. What stands on each figure that a script
draws is written to the folder `DRAWN`, as JSON.
"""

import json
import os
import runpy
import sys
import traceback
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import snakemake.cli
from snakemake.benchmark import benchmarked
from snakemake.script import PythonScript

LOADED = ("h5py", "mne", "nilearn.plotting", "numba", "pandas", "sbi.inference", "scipy.stats", "sklearn", "torch")

DRAWN = Path("drawn")


def execute_script(script, file, edit=False):
    """Run the file of a script, which `PythonScript` has written, in a child of this process."""
    pid = os.fork()
    if not pid:
        run(file)
    record = script.bench_record
    with benchmarked(pid, record) if record is not None else nullcontext():
        _, status, used = os.wait4(pid, 0)
    if record is not None:  # the timer misses what ends within its interval
        record.cpu_time, record.data_collected = used.ru_utime + used.ru_stime, True
    if status:
        raise RuntimeError(f"{file} ended with {os.waitstatus_to_exitcode(status)}")


def run(file):
    """Run a script and end this process."""
    status = 1
    try:
        if file.endswith("figures.py"):
            describe_figures()
        runpy.run_path(file, run_name="__main__")
        status = 0
    except SystemExit as stopped:
        status = stopped.code if isinstance(stopped.code, int) else bool(stopped.code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def describe_figures():
    """Have the figures of this process described when saved; the library is the one that the Snakefile loaded."""
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from drawn import labels, outside

    draw = import_module("vbiflow.figures.draw")
    save = draw.save

    def saved(figure, path):
        save(figure, path)
        shown = [axes for axes in figure.axes if axes.axison]
        found = {
            "axes": len(shown),
            "empty": sum(not (axes.has_data() or axes.texts) for axes in shown),  # a correlation is a number alone
            "labels": labels(figure),
            "outside": outside(figure) if os.environ.get("LOOK_OUTSIDE") else [],
        }
        at = (DRAWN / path).with_suffix(".json")
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(json.dumps(found))

    draw.save = saved


if __name__ == "__main__":
    for name in LOADED:
        import_module(name)
    PythonScript.execute_script = execute_script
    snakemake.cli.main()
