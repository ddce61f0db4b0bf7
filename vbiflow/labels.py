"""Names of brain regions: the mark of their hemisphere, and when two spellings are one name."""

from __future__ import annotations

import re

SIDES = {"l": "L", "lh": "L", "left": "L", "r": "R", "rh": "R", "right": "R"}


def split_label(label: str, hemisphere: str = "") -> tuple[str, str]:
    """Hemisphere ("L", "R" or "") and bare name: ``ctx-lh-insula``, ``L_insula`` and ``insula_L`` are ("L", "insula").

    A mark is a whole part of the label, the first or the last before one between (`7Networks_LH_Vis_1`, `SFG_L_7_1`),
    or a letter before a capital (`lAMYG`; `LAMYG` where `hemisphere` says the same). A mark that contradicts
    `hemisphere` is none.
    """
    parts = re.split(r"([-_. /]+)", re.sub(r"^ctx[-_. ](?=[lr]h[-_. ])", "", label, flags=re.IGNORECASE))
    last = len(parts) - 1
    for k in sorted(range(0, len(parts), 2), key=lambda k: k not in (0, last)):
        side = SIDES.get(parts[k].lower(), "")
        small = k not in (0, last) and parts[k] in ("l", "r")  # a name's own letter, as in a_r_b
        if side and last > 0 and hemisphere in ("", side) and not small:
            return side, "".join(parts[2:] if k == 0 else parts[: k - 1] + parts[k + 1 :])
    side = SIDES.get(label[:1].lower(), "")
    if side and label[1:2].isupper() and (hemisphere or label[0].islower()) and hemisphere in ("", side):
        return side, label[1:]
    return "", label


def canonical(label: str) -> str:
    """A region's name without case, punctuation and prefixes, hemisphere first; equal for spellings of one name.

    FreeSurfer's Thalamus-Proper is called Thalamus from its version 7 on.
    """
    side, name = split_label(label.removesuffix("_ROI"))
    return f"{side}:{re.sub(r'[^a-z0-9]', '', name.lower()).replace('thalamusproper', 'thalamus')}"
