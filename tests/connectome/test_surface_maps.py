"""Tables of regional maps: medians by hand on a small surface, regions by nearest voxel, random maps, credit."""

import numpy as np
import pytest

from vbiflow.connectome.parcellation import Parcellation
from vbiflow.connectome.regions import make_regions
from vbiflow.connectome.surface_maps import FARTHEST, nearest_regions, random_maps, table_of_maps
from vbiflow.datasets import find_origin, load_catalogue, parts_of, sources_of

CATALOGUE = load_catalogue()
TABLES = [(d, table) for d in CATALOGUE.values() for table in d.regional_maps]
N = 20
"""Vertices of each of three regions."""


def surface(seed=0):
    rng = np.random.default_rng(seed)
    return np.repeat(np.arange(3), N), rng.normal(size=(3 * N, 3)), rng.normal(size=3 * N)


def test_a_region_has_the_median_of_its_cortex_and_maps_are_z_scored():
    region, points, values = surface()
    cortex = np.ones(3 * N, bool)
    values[0], cortex[0], values[1], region[2] = 1e6, False, np.nan, -1
    table = table_of_maps({"m": values}, region, cortex, points, ["a", "b", "c"])
    medians = [np.median(values[start:stop]) for start, stop in ((3, N), (N, 2 * N), (2 * N, 3 * N))]
    np.testing.assert_allclose(table["m"], (medians - np.mean(medians)) / np.std(medians))
    assert list(table) == ["m", "random", "random2", "random3"]
    with pytest.raises(ValueError, match="regions b have fewer than 10 vertices"):
        table_of_maps({"m": values}, np.where(region == 1, -1, region), cortex, points, ["a", "b", "c"])


def test_vertices_go_to_the_nearest_voxel_of_their_hemisphere():
    nodes = np.zeros((30, 3, 3), int)
    nodes[3, 1, 1], nodes[7, 1, 1], nodes[9, 1, 1] = 1, 2, 3
    regions = make_regions(["L_a", "L_b", "R_c"])
    volume = Parcellation(nodes, np.eye(4), regions, np.ones(3), "small")
    points = np.array([[3.9, 1, 1], [8.9, 1, 1], [9, 1, 1], [7 + FARTHEST + 0.1, 1, 1]])
    assert nearest_regions(points, volume, "L").tolist() == [0, 1, 1, -1]
    assert nearest_regions(points, volume, "R").tolist() == [2, 2, 2, 2]


def test_random_maps_are_smooth_alike_on_both_sides_and_the_same_each_time():
    left = np.random.default_rng(0).uniform(-60, -10, size=(400, 3))
    maps = random_maps(np.concatenate([left, left * [-1, 1, 1]]))
    np.testing.assert_array_equal(maps, random_maps(np.concatenate([left, left * [-1, 1, 1]])))
    np.testing.assert_allclose(maps[:, :400], maps[:, 400:], atol=1e-5)
    near = np.linalg.norm(left[:, None] - left, axis=-1) < 10
    step = np.abs(maps[:, :400, None] - maps[:, None, :400])
    assert step[:, near].mean() < 0.5 * step[:, ~near].mean()


@pytest.mark.parametrize(("dataset", "table"), TABLES, ids=[table for _, table in TABLES])
def test_tables_credit_all_that_they_are_made_of(dataset, table):
    path = f"resources/data/{dataset.name}/{table}"
    assert find_origin(f"{path}::myelin", CATALOGUE) == (dataset, table)
    credited = {source["name"] for source in sources_of(CATALOGUE, f"{path}::myelin")}
    made_of = {found[0].name for found in (find_origin(part, CATALOGUE) for part in parts_of(dataset, table)) if found}
    assert credited == {dataset.name} | made_of and "hcp-surfaces" in credited
