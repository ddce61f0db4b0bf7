import numpy as np
import pytest

from vbiflow.features import Nodes


def test_hemispheres_and_homotopic_pairs_come_from_labels_not_from_order():
    nodes = Nodes(["V1_R", "V1_L", "M1_L", "Brainstem", "M1_R"])
    assert nodes.hemispheres == ("R", "L", "L", "", "R")
    assert nodes.homotopic == ((0, 1), (2, 4))


def test_one_letter_before_a_capital_counts_where_the_hemisphere_says_the_same():
    nodes = Nodes(["rAMYG", "lAMYG", "lateral"], ["R", "L", "L"])
    assert nodes.homotopic == ((0, 1),)


def test_same_label_in_both_hemispheres_cannot_be_told_apart():
    with pytest.raises(ValueError, match="label 'V1' occurs more than once"):
        Nodes(["V1", "V1"], ["L", "R"])


def test_masks_are_disjoint_and_add_up(nodes):
    size = {mask: nodes.pairs(mask)[0].size for mask in nodes.masks}
    assert size["all"] == 45
    assert size["intra"] + size["inter"] == 45
    assert size["left"] + size["right"] == size["intra"] == 20
    assert size["homotopic"] == 5
    assert (size["within"], size["between"]) == (28 + 1, 16)
    assert (size["Sensory"], size["Default"]) == (28, 1)


def test_unknown_mask_names_the_ones_there_are():
    with pytest.raises(ValueError, match=r"no pairs of nodes for mask 'intra'; these nodes have all$"):
        Nodes.plain(3).pairs("intra")


def test_reduce_by_node_network_mean_and_sd_by_hand():
    nodes = Nodes(["a", "b", "c"], networks=["X", "X", ""])
    names, columns = nodes.reduce(np.array([[1.0, 3.0, 8.0]]), ("node", "network", "mean", "sd"), "f")
    assert names == ["f[a]", "f[b]", "f[c]", "f[X]", "f.mean", "f.sd"]
    np.testing.assert_allclose(np.concatenate(columns, axis=1), [[1, 3, 8, 2, 4, np.std([1, 3, 8])]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a", "b"], ["L"]), "2 labels but 1 hemispheres"),
        ((["a", "b"], None, ["X"]), "2 labels but 1 networks"),
        ((["a", "b"], ["L", "left"]), "unknown hemisphere 'left'; choose from L, R"),
    ],
)
def test_nodes_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        Nodes(*arguments)
