"""What features know of the nodes: labels, hemispheres, networks, and the pairs and groups that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from vbiflow.labels import split_label

PER = ("node", "network", "contrast", "mean", "sd")
MASKS = ("all", "intra", "inter", "left", "right", "homotopic", "within", "between")


class Nodes:
    """Labels of the nodes, their hemispheres ("L", "R" or "") and networks ("" if none).

    Raises
    ------
    ValueError
        If the lists differ in length, a label occurs twice or a hemisphere is neither "L", "R" nor "".
    """

    def __init__(
        self, labels: Sequence[str], hemispheres: Sequence[str] | None = None, networks: Sequence[str] | None = None
    ) -> None:
        self._cache: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.labels = tuple(str(label) for label in labels)
        n = len(self.labels)
        marks = tuple(split_label(label)[0] for label in self.labels)
        self.hemispheres = marks if not hemispheres or not any(hemispheres) else tuple(hemispheres)
        self.networks = tuple(networks) if networks else ("",) * n
        for what, given in (("hemispheres", self.hemispheres), ("networks", self.networks)):
            if len(given) != n:
                raise ValueError(f"{n} labels but {len(given)} {what}; give one a node")
        twice = sorted({label for label in self.labels if self.labels.count(label) > 1})
        if twice:
            raise ValueError(f"label {twice[0]!r} occurs more than once; make labels unique, they name features")
        wrong = sorted(set(self.hemispheres) - {"L", "R", ""})
        if wrong:
            raise ValueError(f"unknown hemisphere {wrong[0]!r}; choose from L, R or an empty text")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def plain(cls, n_nodes: int) -> Nodes:
        """Nodes known by number only: 0, 1, ..."""
        return cls([str(index) for index in range(n_nodes)])

    @cached_property
    def network_names(self) -> tuple[str, ...]:
        """Networks in order of appearance."""
        return tuple(dict.fromkeys(network for network in self.networks if network))

    @cached_property
    def homotopic(self) -> tuple[tuple[int, int], ...]:
        """Pairs (i, j), i < j, of nodes that bear the same name in the two hemispheres."""
        names: dict[str, dict[str, list[int]]] = {}
        for index, (label, hemisphere) in enumerate(zip(self.labels, self.hemispheres, strict=True)):
            name = split_label(label, hemisphere)[1]
            names.setdefault(name, {"L": [], "R": [], "": []})[hemisphere].append(index)
        pairs = [(side["L"][0], side["R"][0]) for side in names.values() if len(side["L"]) == len(side["R"]) == 1]
        return tuple(sorted((min(pair), max(pair)) for pair in pairs))

    @cached_property
    def masks(self) -> tuple[str, ...]:
        """Masks that these nodes have pairs for: those of MASKS, then the networks."""
        return tuple(mask for mask in (*MASKS, *self.network_names) if self._pairs(mask)[0].size)

    def pairs(self, mask: str) -> tuple[np.ndarray, np.ndarray]:
        """Indices i < j of the pairs of nodes in a mask, in the order of the upper triangle.

        `all`; `intra`, `inter`, `left`, `right` by hemisphere; `homotopic`; `within` a network, `between` two networks;
        or the name of a network, for the pairs inside it.

        Raises
        ------
        ValueError
            If the mask is unknown or holds no pair of these nodes.
        """
        if mask not in self._cache:
            if mask not in self.masks:
                raise ValueError(f"no pairs of nodes for mask {mask!r}; these nodes have {', '.join(self.masks)}")
            self._cache[mask] = self._pairs(mask)
        return self._cache[mask]

    def _pairs(self, mask: str) -> tuple[np.ndarray, np.ndarray]:
        i, j = np.triu_indices(len(self), 1)
        if mask == "homotopic":
            pairs = np.array(self.homotopic, dtype=int).reshape(-1, 2)
            return pairs[:, 0], pairs[:, 1]
        side, network = np.array(self.hemispheres), np.array(self.networks)
        sided, networked = (side[i] != "") & (side[j] != ""), (network[i] != "") & (network[j] != "")
        chosen = {
            "all": np.ones(i.size, dtype=bool),
            "intra": sided & (side[i] == side[j]),
            "inter": sided & (side[i] != side[j]),
            "left": (side[i] == "L") & (side[j] == "L"),
            "right": (side[i] == "R") & (side[j] == "R"),
            "within": networked & (network[i] == network[j]),
            "between": networked & (network[i] != network[j]),
        }.get(mask, (network[i] == mask) & (network[j] == mask))
        return i[chosen], j[chosen]

    def reduce(self, values: Any, per: Sequence[str], name: str = "") -> tuple[list[str], Any]:
        """Values (n_simulations, n_nodes) as asked by `per`, with their names.

        `node`: one a node, `network`: mean over the nodes of each network, `contrast`: differences of these between
        every two networks, `mean` and `sd`: over all nodes.

        Raises
        ------
        ValueError
            If networks are asked for and no node has one.
        """
        names: list[str] = []
        columns: list[Any] = []
        for kind in per:
            if kind == "node":
                names += [f"{name}[{label}]" for label in self.labels]
                columns += [values]
            elif kind == "network":
                names += [f"{name}[{network}]" for network in self._known_networks()]
                columns += [values[:, members].mean(axis=1)[:, None] for members in self.members]
            elif kind == "contrast":
                if len(self._known_networks()) < 2:
                    raise ValueError("per: contrast takes two networks or more; leave it out")
                names += [f"{name}[{a} - {b}]" for a, b in combinations(self.network_names, 2)]
                means = [values[:, members].mean(axis=1)[:, None] for members in self.members]
                columns += [a - b for a, b in combinations(means, 2)]
            else:
                names += [f"{name}.{kind}"]
                columns += [(values.mean(axis=1) if kind == "mean" else values.std(axis=1))[:, None]]
        return names, columns

    @cached_property
    def members(self) -> tuple[list[int], ...]:
        """Indices of the nodes of each network, in the order of `network_names`."""
        return tuple([k for k, own in enumerate(self.networks) if own == name] for name in self.network_names)

    def _known_networks(self) -> tuple[str, ...]:
        if not self.network_names:
            raise ValueError("per: network, but no node has a network; add networks to the regions, or per: node")
        return self.network_names
