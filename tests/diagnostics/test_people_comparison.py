"""The table of studies of the same people: counted and averaged by hand."""

from __future__ import annotations

from vbiflow.diagnostics.people_comparison import columns_of, person_row, summarise_people


def verdict(value: float, grade: str, held_out: float | None, trusted: bool = True) -> dict:
    """What verdict.json says of one person."""
    score = {"value": value, "grade": grade, "ladder": {"other_person": [0.5, 0.7], "own_half": [0.9, 0.9]}}
    score |= {} if held_out is None else {"held_out": held_out}
    word = "trusted" if trusted else "not trusted"
    parts = {"estimator": {"verdict": "trusted"}, "recording": {"verdict": word}}
    return {"verdict": word, "parts": parts | {"model": {"scores": {"fc_correlation": score}}}}


def test_rows_of_people_become_rows_of_studies() -> None:
    rows = [
        person_row("a", "1", verdict(0.6, "other_person", 0.5), {"fc_correlation": [0.1, 0.3, 0.2]}),
        person_row("a", "2", verdict(0.4, "above_chance", 0.2, False), {"fc_correlation": [0.6]}),
        person_row("b", "1", verdict(0.8, "own_half", None), {}),
    ]
    assert rows[0]["others_fc_correlation"] == 0.2 and rows[0]["own_half_fc_correlation"] == 0.9
    a, b = summarise_people(rows, {"a": "Linear", "b": "Hopf"})
    assert (a["people"], a["trusted"], a["estimator_trusted"], a["recording_trusted"]) == (2, 1, 2, 1)
    assert a["fc_correlation"] == "0.50 (0.40 to 0.60)" and a["held_out_fc_correlation"] == "0.35 (0.20 to 0.50)"
    assert a["others_fc_correlation"] == "0.40 (0.20 to 0.60)"
    assert a["fc_correlation_grade"] == "1 other person, 1 above chance" and a["model"] == "Linear"
    assert b["fc_correlation"] == "0.80 (0.80 to 0.80)" and "held_out_fc_correlation" not in b
    assert columns_of([b, a])[-1] == "others_fc_correlation"


def test_a_rung_is_told_by_what_is_least_alike_also_of_a_distance() -> None:
    judged = verdict(0.6, "other_person", 0.5)
    scores = judged["parts"]["model"]["scores"]
    scores["fcd_ks"] = scores["fc_correlation"]
    row = person_row("a", "1", judged, {})
    assert row["other_person_fc_correlation"] == 0.5 and row["other_person_fcd_ks"] == 0.7
