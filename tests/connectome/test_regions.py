"""Names of regions: the mark of the side, spellings of one name, tables of regions matched in any order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vbiflow.connectome import match_labels, read_regions
from vbiflow.connectome.regions import homotopic_pairs, make_regions
from vbiflow.labels import canonical, split_label


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("ctx-lh-bankssts", ("L", "bankssts")),
        ("ctx_rh_G_and_S", ("R", "G_and_S")),
        ("ctx-unknown", ("", "ctx-unknown")),
        ("wm-lh-insula", ("L", "wm-insula")),
        ("L_V1_ROI", ("L", "V1_ROI")),
        ("R_p9-46v_ROI", ("R", "p9-46v_ROI")),
        ("bankssts-rh", ("R", "bankssts")),
        ("Precentral_L", ("L", "Precentral")),
        ("Left-Thalamus-Proper", ("L", "Thalamus-Proper")),
        ("Left Thalamus", ("L", "Thalamus")),
        ("R.BSTS", ("R", "BSTS")),
        ("lAMYG", ("L", "AMYG")),
        ("rBSTS", ("R", "BSTS")),
        ("RM-TCpol_L", ("L", "RM-TCpol")),
        ("7Networks_LH_Vis_1", ("L", "7Networks_Vis_1")),
        ("SFG_L_7_1", ("L", "SFG_7_1")),
        ("a_r_b", ("", "a_r_b")),
        ("Brain-Stem", ("", "Brain-Stem")),
        ("lingual", ("", "lingual")),
        ("rectus", ("", "rectus")),
        ("RSC", ("", "RSC")),
        ("L", ("", "L")),
        ("", ("", "")),
    ],
)
def test_hemisphere_from_the_name(label: str, expected: tuple[str, str]) -> None:
    assert split_label(label) == expected


def test_a_known_hemisphere_decides() -> None:
    assert split_label("LAMYG", "L") == ("L", "AMYG")
    assert split_label("lAMYG", "R") == ("", "lAMYG")
    assert split_label("L_insula_R", "R") == ("R", "L_insula")


WORDS = st.from_regex(r"[a-z]{2,6}[0-9]?", fullmatch=True).filter(
    lambda word: word not in ("lh", "rh", "left", "right")
)
NAMES = st.lists(WORDS, min_size=1, max_size=3)
STYLES = {
    "lh-": lambda side, words: f"{side.lower()}h-{'-'.join(words)}",
    "L_": lambda side, words: f"{side}_{'_'.join(words)}",
    "L_ROI": lambda side, words: f"{side}_{'-'.join(words)}_ROI",
    "ctx-lh-": lambda side, words: f"ctx-{side.lower()}h-{'-'.join(words)}",
    "ctx_lh_": lambda side, words: f"ctx_{side.lower()}h_{'_'.join(words)}",
    "Left-": lambda side, words: "-".join([{"L": "Left", "R": "Right"}[side], *words]).title(),
    "_L": lambda side, words: f"{'_'.join(words)}_{side}".upper(),
    "-lh": lambda side, words: f"{'.'.join(words)}-{side.lower()}h",
    "L.": lambda side, words: f"{side}.{'.'.join(words).upper()}",
    "lA": lambda side, words: f"{side.lower()}{''.join(words).upper()}",
}
REGIONS = st.lists(
    st.tuples(st.sampled_from("LR"), NAMES), min_size=1, max_size=12, unique_by=lambda r: (r[0], "".join(r[1]))
)


def written(regions: list[tuple[str, list[str]]], style: str) -> list[str]:
    return [STYLES[style](side, words) for side, words in regions]


@settings(max_examples=50, deadline=None)
@given(REGIONS, st.sampled_from([*STYLES]), st.sampled_from([*STYLES]), st.randoms(use_true_random=False))
def test_any_order_in_any_style_is_the_same_regions(regions, ours: str, theirs: str, random) -> None:
    mixed = list(regions)
    random.shuffle(mixed)
    order = match_labels(written(regions, ours), written(mixed, theirs), "a", "b")
    assert [mixed[k] for k in order] == regions
    assert make_regions(written(regions, ours)).hemispheres == tuple(side for side, _ in regions)


@settings(max_examples=25, deadline=None)
@given(REGIONS, REGIONS, st.sampled_from([*STYLES]), st.sampled_from([*STYLES]))
def test_what_is_missing_is_listed_on_each_side(wanted, given_, ours: str, theirs: str) -> None:
    keys = [{(side, "".join(words)) for side, words in regions} for regions in (wanted, given_)]
    assume(keys[0] - keys[1])
    lacks, extra = (
        [r for r in one if (r[0], "".join(r[1])) not in other] for one, other in ((wanted, keys[1]), (given_, keys[0]))
    )
    with pytest.raises(ValueError, match=r"x.tsv: regions do not match y: it lacks") as caught:
        match_labels(written(wanted, ours), written(given_, theirs), "x.tsv", "y")
    said = str(caught.value).removeprefix("x.tsv: regions do not match y: it lacks ")
    said = said.partition("; of names that are not asked for it has ")
    assert said[0].split(" and ")[0].split(", ") == written(lacks, ours)[:5]
    assert said[2].partition("; rename")[0].split(" and ")[0].split(", ") == (written(extra, theirs)[:5] or ["none"])


@settings(max_examples=25, deadline=None)
@given(REGIONS, st.sampled_from([*STYLES]), st.sampled_from("\t,"), st.booleans())
def test_a_written_table_is_read_back(tmp_path_factory, regions, style: str, mark: str, sided: bool) -> None:
    labels, path = written(regions, style), tmp_path_factory.mktemp("r") / "r.tsv"
    rows = [
        [label, side, str(k), "0.5", "-2"] for k, (label, (side, _)) in enumerate(zip(labels, regions, strict=True))
    ]
    header = ["label", "hemisphere" if sided else "other", "x", "y", "z"]
    path.write_text("\n".join(mark.join(row) for row in [header, *rows]) + "\n")
    found = read_regions(path)
    assert list(found.labels) == labels and found.hemispheres == tuple(side for side, _ in regions)
    np.testing.assert_array_equal(found.centres, [[k, 0.5, -2] for k in range(len(rows))])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(NAMES, min_size=1, max_size=8, unique_by="".join),
    st.sampled_from([*STYLES]),
    st.randoms(use_true_random=False),
)
def test_counterparts_are_found_in_any_order(names, style: str, random) -> None:
    regions = [(side, words) for words in names for side in "LR"]
    random.shuffle(regions)
    found = homotopic_pairs(written(regions, style))
    assert len(found) == len(names)
    assert all(regions[i][0] == "L" and regions[j][0] == "R" and regions[i][1] == regions[j][1] for i, j in found)


def test_spellings_of_one_name_are_told() -> None:
    with pytest.raises(ValueError, match=r"x: L_a and lh-A are two spellings of one region; rename one"):
        match_labels(["a"], ["L_a", "lh-A"], "x", "y")
    assert canonical("L_V1_ROI") == canonical("lh-v1") != canonical("R_V1_ROI")


def test_labels_that_both_hemispheres_share(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id,label,hemisphere\n1,insula,lh\n2,insula,rh\n3,brainstem,B\n")
    assert read_regions(tmp_path / "r.csv").labels == ("L_insula", "R_insula", "brainstem")


def test_pairs_are_homotopic() -> None:
    assert homotopic_pairs(["L_a", "L_b", "R_b", "R_a", "stem"]) == [(0, 3), (1, 2)]
