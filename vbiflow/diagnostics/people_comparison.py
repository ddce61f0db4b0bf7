"""Studies of the same people in one table: verdicts, grades, a half that was held out, other people's parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.diagnostics.grade import GRADES
from vbiflow.features.scores import SCORES

Row = dict[str, Any]


def person_row(study: str, subject: str, verdict: Mapping[str, Any], transfer: Mapping[str, Any]) -> Row:
    """One person in one study: verdict, and of each score its value and grade, and what it is with a held-out half and
    with `transfer`, the scores (n,) of other people's parameters; of the rungs of recordings, what is least alike.
    """
    row: Row = {"study": study, "subject": subject, "verdict": verdict["verdict"]}
    row |= {f"{part}_trusted": verdict["parts"][part]["verdict"] == "trusted" for part in ("estimator", "recording")}
    for name, found in verdict["parts"]["model"]["scores"].items():
        row |= {name: found["value"], f"{name}_grade": found["grade"]}
        row |= {f"held_out_{name}": found["held_out"]} if "held_out" in found else {}
        row |= {f"others_{name}": float(np.median(transfer[name]))} if name in transfer else {}
        least = 0 if SCORES[name].sign > 0 else 1  # end of a rung that is the least alike
        row |= {f"{rung}_{name}": ends[least] for rung, ends in found["ladder"].items() if rung in GRADES[2:4]}
    return row


def summarise_people(rows: Sequence[Row], models: Mapping[str, str]) -> list[Row]:
    """One row a study of what `person_row` gave: how many are trusted, and mean, lowest and highest of each score."""
    found = []
    for study, model in models.items():
        mine = [row for row in rows if row["study"] == study]
        out: Row = {"study": study, "model": model, "people": len(mine)}
        for part in ("estimator", "recording"):
            out[f"{part}_trusted"] = sum(row[f"{part}_trusted"] for row in mine)
        out["trusted"] = sum(row["verdict"] == "trusted" for row in mine)
        for name in SCORES:
            for key in (name, f"held_out_{name}", f"others_{name}"):
                values = [row[key] for row in mine if key in row]
                out |= {key: mean_and_range(values)} if values else {}
            grades = Counter(row[f"{name}_grade"] for row in mine if f"{name}_grade" in row)
            told = ", ".join(f"{grades[grade]} {grade.replace('_', ' ')}" for grade in GRADES[::-1] if grades[grade])
            out |= {f"{name}_grade": told} if told else {}
        found.append(out)
    return found


def mean_and_range(values: Sequence[float]) -> str:
    """Mean of several numbers, and the lowest and the highest."""
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Columns that any row has, in the order in which they first come."""
    return list(dict.fromkeys(key for row in rows for key in row))
