"""What goes wrong in reading somebody's file, whatever a library raises, as one line that names the file."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ABOUT = re.compile(r"^\S+:")
"""How an error of this library begins: with what it is about."""
FIELD = "lead field:"
"""How one begins that knows no file."""
ALIKE = 0.82
"""How like two names of files must be: endings, which many share, make others alike too."""


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


SYNONYMS = {"gpu": "cuda"}
"""Words for names that are written otherwise."""


def suggest(name: object, allowed: Iterable[str]) -> str:
    """What an error on an unknown name ends with: "; did you mean 'fc'?", or nothing where none is alike."""
    known = list(map(str, allowed))
    cases = {one.lower(): one for one in known}
    said = str(name).lower()
    near = difflib.get_close_matches(SYNONYMS.get(said, said), cases, 1)
    return f"; did you mean {cases[near[0]]!r}?" if near else ""


def suggest_path(path: str | Path) -> str:
    """What an error on a missing file ends with: a file or folder of a like name where the path stops being right."""
    parts = Path(path).parts
    for k, part in enumerate(parts):
        folder = Path(*parts[:k])
        if not (folder / part).exists():
            found = sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []
            near = difflib.get_close_matches(part, found, 1, ALIKE)
            return f"; did you mean {str(Path(folder, near[0], *parts[k + 1 :]))!r}?" if near else ""
    return ""


def describe_unreadable(path: str | Path) -> str:
    """What an error on a file says that its owner keeps from others."""
    return f"{path}: may not be read; ask its owner, or chmod u+r {path}"


def first_repeated(names: Sequence[str]) -> str | None:
    """The first name that stands twice; None if each stands once."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def pluralise(n: int, one: str, many: str = "") -> str:
    """A number and what it counts, "1 region" or "3 regions"; `many` is the plural where an s does not make it."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def shorten_list(labels: Sequence[str], limit: int = 5) -> str:
    """A few names of a list that may be long."""
    more = f" and {len(labels) - limit} more" if len(labels) > limit else ""
    return (", ".join(labels[:limit]) or "none") + more


def join_problems(found: Sequence[str]) -> str:
    """Several problems as one line, each once."""
    return "; and ".join(dict.fromkeys(found))
