"""What goes wrong in reading somebody's file, whatever a library raises, as one line that names the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ABOUT = re.compile(r"^\S+:")
"""How an error of this library begins: with what it is about."""
FIELD = "lead field:"
"""How one begins that knows no file."""


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn any error of the work inside into a ValueError of one line that names `path`.

    Raises
    ------
    ValueError
        For whatever was raised; a ValueError that says which file it is about stays as it is.
    """
    try:
        yield
    except ValueError as error:
        text = " ".join(str(error).split())
        if text.startswith(FIELD):
            raise ValueError(f"{path}: {text}") from error
        if text == str(error) and (text.startswith(str(path)) or ABOUT.match(text)):
            raise
        raise ValueError(f"{path}: cannot be read ({text})") from error
    except Exception as error:
        text = " ".join(str(error).split())
        raise ValueError(f"{path}: cannot be read ({type(error).__name__}: {text})") from error


class Problems:
    """Errors of several checks, told together, so that nobody mends them one run after the other."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep the ValueError of the work inside for `tell`."""
        try:
            yield
        except ValueError as error:
            self.found.append(str(error))

    def tell(self) -> None:
        """Raise what was kept as one ValueError, if there is any."""
        if self.found:
            raise ValueError(join_problems(self.found))


def join_problems(found: Sequence[str]) -> str:
    """Several problems as one line, each once."""
    return "; and ".join(dict.fromkeys(found))
