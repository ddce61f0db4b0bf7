"""Names of brain regions: the mark of their hemisphere, and when two spellings are one name."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

SIDES = {"l": "L", "lh": "L", "left": "L", "左": "L", "r": "R", "rh": "R", "right": "R", "右": "R"}
"""Marks of a side: parts of a region's name, and entries of a column hemisphere."""
NO_SIDE = ("", "n/a", "b", "bilateral", "m", "midline")
"""Entries of a column hemisphere for regions on both sides, or between."""


NUMBERED = re.compile(r"region-\d+")
"""What `numbered_labels` gives."""


def numbered_labels(n: int) -> tuple[str, ...]:
    """Names of n regions that have none."""
    return tuple(f"region-{k:0{len(str(n))}d}" for k in range(1, n + 1))


def side_of(entry: str | bool | np.bool_) -> str | None:
    """Hemisphere "L", "R" or "" that an entry of a table says; None if it says nothing known. True is right, as in TVB.

    >>> side_of("lh"), side_of("Right"), side_of("n/a"), side_of(True)
    ('L', 'R', '', 'R')
    """
    if isinstance(entry, bool | np.bool_):
        return "R" if entry else "L"
    mark = str(entry).strip().lower()
    return "" if mark in NO_SIDE else SIDES.get(mark)


def split_label(label: str, hemisphere: str = "") -> tuple[str, str]:
    """Hemisphere ("L", "R" or "") and bare name: ``ctx-lh-insula``, ``L_insula`` and ``insula_L`` are ("L", "insula").

    A mark is a whole part of the label, the first or the last before one between (`7Networks_LH_Vis_1`, `SFG_L_7_1`),
    or a letter before a capital (`lAMYG`; `LAMYG` where `hemisphere` says the same), or 左 or 右 before or after the
    name. A mark that contradicts `hemisphere` is none.
    """
    parts = re.split(r"([-_. /]+)", re.sub(r"^ctx[-_. ](?=[lr]h[-_. ])", "", label, flags=re.IGNORECASE))
    last = len(parts) - 1
    for k in sorted(range(0, len(parts), 2), key=lambda k: k not in (0, last)):
        side = SIDES.get(parts[k].lower(), "")
        small = k not in (0, last) and parts[k] in ("l", "r")  # a name's own letter, as in a_r_b
        if side and last > 0 and hemisphere in ("", side) and not small:
            return side, "".join(parts[2:] if k == 0 else parts[: k - 1] + parts[k + 1 :])
    for mark, rest in ((label[:1], label[1:]), (label[-1:], label[:-1])):
        if mark in ("左", "右") and rest and hemisphere in ("", SIDES[mark]):
            return SIDES[mark], rest
    side = SIDES.get(label[:1].lower(), "")
    if side and label[1:2].isupper() and (hemisphere or label[0].islower()) and hemisphere in ("", side):
        return side, label[1:]
    return "", label


def canonical(label: str) -> str:
    """A region's name without case, punctuation and prefixes, hemisphere first; equal for spellings of one name.

    Letters of any script count, however their accents are coded. FreeSurfer's Thalamus-Proper is called Thalamus from
    its version 7 on.
    """
    side, name = split_label(label.removesuffix("_ROI"))
    letters = unicodedata.normalize("NFKC", name).casefold()
    bare = "".join(letter for letter in letters if unicodedata.category(letter)[0] in "LMN")
    return f"{side}:{(bare or name).replace('thalamusproper', 'thalamus')}"
