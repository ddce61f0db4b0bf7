"""Words of messages: counts, and names that are alike."""

import pytest

from vbiflow.reading import pluralise, suggest, suggest_path


@pytest.mark.parametrize(
    ("n", "words", "told"),
    [
        (1, ("region",), "1 region"),
        (0, ("region",), "0 regions"),
        (2, ("weight is", "weights are"), "2 weights are"),
        (1, ("weight is", "weights are"), "1 weight is"),
    ],
)
def test_counts_in_words(n, words, told):
    assert pluralise(n, *words) == told


def test_a_name_that_is_alike_or_means_the_same_is_suggested():
    assert suggest("CPUS", ["cpu", "cuda"]) == "; did you mean 'cpu'?"
    assert suggest("gpu", ["cpu", "cuda", "auto"]) == "; did you mean 'cuda'?"
    assert suggest("xyz", ["cpu", "cuda"]) == ""


@pytest.mark.parametrize(
    ("missing", "alike"),
    [("wieghts.csv", "weights.csv"), ("weights.tsv", "weights.csv"), ("nothere.csv", ""), ("folder/x.csv", "")],
)
def test_a_missing_file_is_told_one_that_is_alike(tmp_path, missing, alike):
    for name in ("weights.csv", "b_nohdr.csv"):
        (tmp_path / name).touch()
    assert suggest_path(tmp_path / missing) == (f"; did you mean {str(tmp_path / alike)!r}?" if alike else "")
