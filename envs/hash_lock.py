"""Write the hashes of what requirements.lock pins, as `make lock` does: where uv is installed.

Of each version the hashes of all files that the index has, for every system. Of torch, where pip takes a build without
CUDA from an index of its own, the hash of that alone: one with CUDA has the same version, and needs more than that.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).with_name("requirements.lock")
HASHES = Path(__file__).with_name("hashes.lock")
HEAD = """\
# Hashes of envs/requirements.lock: pip install --no-deps --require-hashes -r envs/hashes.lock
# Made by `make lock`; do not edit by hand.
"""


def output_of(*command: str) -> str:
    """What a command writes."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def name_of(requirement: str) -> str:
    """Name of what a line requires, as indexes write it."""
    return re.sub("[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def main() -> None:
    """Ask uv for the hashes of all files, pip for those of its choice, and write both."""
    options = ("--quiet", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate", "--python-version", "3.11")
    text = output_of(sys.executable, "-m", "uv", "pip", "compile", *options, str(PINS))
    report = ("--quiet", "--no-deps", "--ignore-installed", "--dry-run", "--report", "-", "--requirement", str(PINS))
    chosen = json.loads(output_of(sys.executable, "-m", "pip", "install", *report))["install"]
    own = {name_of(one["metadata"]["name"]): one["download_info"]["archive_info"]["hashes"]["sha256"] for one in chosen}
    found = {name_of(entry): re.findall(r"sha256:(\w+)", entry) for entry in re.split(r"\n(?=\S)", text.strip())}
    entries = []
    for pin in (line for line in PINS.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"):
        known, chosen_here = found[name_of(pin)], own.get(name_of(pin))
        hashes = sorted(known if chosen_here is None or chosen_here in known else [chosen_here])
        entries.append(" \\\n".join([pin, *(f"    --hash=sha256:{digest}" for digest in hashes)]))
    HASHES.write_text(HEAD + "\n".join(entries) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
