"""Regional maps from tables and arrays, through selection and files."""

import numpy as np
import pytest

from vbiflow.connectome import Connectome, with_maps
from vbiflow.connectome.maps import read_map

LABELS = ("A_L", "A_R", "B_L")


def connectome(**changes):
    weights = np.ones((3, 3)) - np.eye(3)
    parts = {"weights": weights, "tract_lengths": 40 * weights, "labels": LABELS, "centres": np.zeros((3, 3))}
    return Connectome(**parts | {"hemispheres": ("L", "R", "L"), "networks": ("",) * 3} | changes)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "maps.tsv").write_text("label\tmyelin\tname\nlh-B\t3\tb\nrh-A\t2\ta\nA_L\t1\ta\nC_L\t9\tc\n")
    (tmp_path / "short.csv").write_text("label,myelin\nA_L,1\nA_R,\nB_L,nan\n")
    np.savetxt(tmp_path / "bare.csv", [1, 1, 3])
    np.save(tmp_path / "three.npy", [1.0, 2.0, 3.0])
    np.save(tmp_path / "four.npy", np.ones(4))
    np.save(tmp_path / "nan.npy", [1.0, np.nan, 3.0])
    return tmp_path


@pytest.mark.parametrize("entry", ["maps.tsv::myelin", "three.npy"])
def test_values_are_in_the_order_of_the_regions(files, entry):
    found = with_maps(connectome(), {"myelin": str(files / entry)})
    assert found.maps["myelin"].tolist() == [1, 2, 3]
    assert found.take([2, 0]).maps["myelin"].tolist() == [3, 1]
    assert found.normalised(["max"]).maps["myelin"].tolist() == [1, 2, 3]


def test_maps_survive_a_file(files):
    path = files / "connectome.h5"
    with_maps(connectome(), {"m": str(files / "three.npy"), "n": str(files / "maps.tsv::myelin")}).save(path, {})
    again = Connectome.load(path)
    assert {name: values.tolist() for name, values in again.maps.items()} == {"m": [1, 2, 3], "n": [1, 2, 3]}
    connectome().save(path, {})
    assert Connectome.load(path).maps == {}


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("m", "none.tsv::x", "none.tsv: no such file"),
        ("m", "none.npy", "none.npy: no such file"),
        ("m", "maps.tsv", "no column ''; write .*maps.tsv::COLUMN with one of myelin, name"),
        ("m", "maps.tsv::gradient", "no column 'gradient'; write .* one of myelin"),
        ("m", "maps.tsv::name", "could not convert string to float: 'a'; give one number a region"),
        ("m", "bare.csv", "bare.csv: no header; write one, label and a name for each map, or save an array as .npy"),
        ("m", "four.npy", "4 values for 3 regions; give one a region in their order, or a table with a column label"),
        ("m", "nan.npy", "no finite value for 1 region, the first A_R"),
        ("m", "short.csv::myelin", "give one number a region"),
        ("constant", "three.npy", "constant is the coefficient without a map"),
    ],
)
def test_mistakes_get_one_line(files, name, entry, message):
    with pytest.raises(ValueError, match=message) as error:
        with_maps(connectome(), {name: str(files / entry)})
    assert "\n" not in str(error.value)


def test_a_region_without_a_value_is_named(files):
    with pytest.raises(ValueError, match=r"maps.tsv: regions do not match the connectome: it lacks D_L"):
        with_maps(connectome(labels=("A_L", "A_R", "D_L")), {"m": str(files / "maps.tsv::myelin")})


def test_delays_are_checked_with_the_connectome():
    connectome().check_delays(1, 6, 0.1)
    with pytest.raises(
        ValueError, match=r"dt 10 ms is too long for the shortest delay, 4 ms \(A_R to A_L, 40 mm at 10 m/s"
    ):
        connectome().check_delays(1, 10, 10)
    with pytest.raises(ValueError, match="a speed needs tract lengths"):
        connectome(tract_lengths=np.full((3, 3), np.nan)).check_delays(1, 10, 0.1)


def test_entries_that_a_map_lacks_are_counted(tmp_path):
    (tmp_path / "m.tsv").write_text("label\tmyelin\na\t1\nb\tn/a\nc\t\n")
    with pytest.raises(ValueError, match=r"m.tsv::myelin: no finite value for 2 regions, the first b"):
        read_map("m", f"{tmp_path / 'm.tsv'}::myelin", ("a", "b", "c"))
