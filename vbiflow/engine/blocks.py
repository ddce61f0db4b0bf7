"""A shard of simulations made block by block: what is finished is saved, so a job that is ended goes on from there."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vbiflow.io import (
    Progress,
    Quantity,
    decode_attribute,
    describe,
    open_sealed,
    read_values,
    sealed,
    store_empty,
    store_quantity,
)
from vbiflow.seal import verify
from vbiflow.termination import defer_termination, termination_asked

Block = Mapping[str, Quantity]
"""Quantities of some simulations, whose first axis they are."""
BLOCK_SECONDS = 20.0
"""About as long as a block takes, where a batch is quicker than that."""
SAVED_EVERY = 30.0
"""Seconds between two saves."""
MOST_BYTES = 256e6
"""Of finished blocks in memory, above which they are saved earlier; a block has half of it, unless a batch has more."""
NAME = re.compile(r"(\w+)-(\d+)-(\d+)\.h5")


def make_in_blocks(
    path: str | Path,
    make: Callable[[int, int, Progress], Block],
    n: int,
    provenance: Mapping[str, Any],
    *,
    key: str,
    first: int,
    progress: Progress | None = None,
) -> None:
    """Write `n` simulations to an HDF5 file, in memory that is bounded by what is made between two saves.

    Blocks are saved in the folder `path` + ".unfinished", which is removed at the end. SIGTERM waits for the end of the
    block. The bytes of the file do not depend on how it was split into blocks.

    Parameters
    ----------
    path : of the file.
    make : simulations begin to end, called with (begin, end, progress).
    n : how many.
    provenance : attributes of the file.
    key : saved blocks are gone on from if they were made with the same key: it stands for all that they depend on.
    first : simulations in the first block; later ones are multiples of it.
    progress : called with (simulations done, n).
    """
    saved = SavedBlocks(Path(f"{path}.unfinished"), key)
    blocks: list[Block | Path] = list(saved.find())
    done, size, last = saved.done, first, time.monotonic()
    report = progress or (lambda *_: None)
    while True:
        with defer_termination():
            if done < n:
                begin, stop = time.monotonic(), min(done + size, n)
                blocks.append(make(done, stop, lambda k, _, done=done: report(done + k, n)))
                pace = (stop - done) / max(time.monotonic() - begin, 1e-9)
                most = min(BLOCK_SECONDS * pace, 0.5 * MOST_BYTES / bytes_of(blocks[-1]) * (stop - done))
                size, done = first * max(1, int(most / first)), stop
            if done == n:
                write_blocks(path, blocks, provenance)
                saved.remove()
                return
            held = sum(bytes_of(block) for block in blocks if not isinstance(block, Path))
            if termination_asked() or time.monotonic() - last >= SAVED_EVERY or held > 0.5 * MOST_BYTES:
                blocks, last = saved.add(blocks, done), time.monotonic()


def bytes_of(block: Block) -> int:
    """Memory of the quantities of a block."""
    return sum(np.asarray(quantity.values).nbytes for quantity in block.values())


class SavedBlocks:
    """Blocks in a folder, one file each, named by key, first simulation and one past the last."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key, self.done = folder, key, 0

    def find(self) -> Iterator[Path]:
        """Files of the blocks from the first simulation on; others, and damaged ones, are dropped with a line."""
        for path in sorted(self.folder.glob("*.h5")) if self.folder.is_dir() else []:
            found = NAME.fullmatch(path.name)
            try:
                if not found or found[1] != self.key:
                    raise ValueError(f"{path}: made with other settings")
                if verify(path).made_as != str(path) or int(found[2]) != self.done:
                    raise ValueError(f"{path}: not the next simulations")
            except ValueError as error:
                print(f"{error}: dropped, simulated anew", flush=True)
                path.unlink()
                continue
            self.done = int(found[3])
            yield path

    def add(self, blocks: Sequence[Block | Path], done: int) -> list[Block | Path]:
        """Save the blocks that lie in memory, up to simulation `done`; their file stands for them."""
        kept = [block for block in blocks if isinstance(block, Path)]
        new = [block for block in blocks if not isinstance(block, Path)]
        path = self.folder / f"{self.key}-{self.done:09d}-{done:09d}.h5"
        write_blocks(path, new, {})
        self.done = done
        return [*kept, path]

    def remove(self) -> None:
        """Remove the folder, if it is there."""
        shutil.rmtree(self.folder, ignore_errors=True)


def write_blocks(path: str | Path, blocks: Sequence[Block | Path], provenance: Mapping[str, Any]) -> None:
    """Write blocks one after the other into one HDF5 file, sealed; one block is read at a time."""
    with sealed(path, provenance.get("seed", -1)) as part, h5py.File(part, "w") as file:
        describe(file, provenance)
        with opened(blocks[0]) as block:
            names = sorted(block)
        for name in names:
            store_joined(file, name, blocks)


def store_joined(file: h5py.File, name: str, blocks: Sequence[Block | Path]) -> None:
    """Store one quantity of all blocks."""
    with opened(blocks[0]) as block:
        quantity = block[name]
    if np.asarray(quantity.values).dtype.kind in "UO":
        texts = [text for one in blocks for text in values_of(one, name)]
        store_quantity(file, name, Quantity.text(texts, *quantity.axes))
        return
    n, row = sum(len(values_of(block, "index")) for block in blocks), 0
    dataset = store_empty(file, name, quantity, n)
    for block in blocks:
        values = values_of(block, name)
        dataset[row : row + len(values)] = values
        row += len(values)


def values_of(block: Block | Path, name: str) -> Any:
    """Values of one quantity of a block."""
    with opened(block) as quantities:
        return quantities[name].values


@contextmanager
def opened(block: Block | Path) -> Iterator[Mapping[str, Quantity]]:
    """Quantities of a block, those of a file read as they are asked for."""
    if not isinstance(block, Path):
        yield block
        return
    with open_sealed(block) as file:
        yield StoredBlock(file)


class StoredBlock(Mapping):
    """Quantities of an open file."""

    def __init__(self, file: h5py.File) -> None:
        self.file = file

    def __getitem__(self, name: str) -> Quantity:
        attributes = {key: decode_attribute(value) for key, value in self.file[name].attrs.items()}
        unit, axes = attributes.pop("unit"), tuple(attributes.pop("axes"))
        compressed = self.file[name].compression is not None
        return Quantity(read_values(self.file, name), unit, axes, attributes, compressed)

    def __iter__(self) -> Iterator[str]:
        return iter(self.file)

    def __len__(self) -> int:
        return len(self.file)
