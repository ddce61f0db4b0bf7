"""Intracranial contacts: the space that they are in is said, checked, and converted where it can be."""

from __future__ import annotations

import json
from pathlib import Path

import mne
import nibabel as nib
import numpy as np
import pytest

from vbiflow.connectome import Connectome, read_connectome
from vbiflow.connectome.parcellation import own_centres
from vbiflow.connectome.region_tables import read_regions
from vbiflow.empirical.contacts import check_contacts
from vbiflow.empirical.sensor_options import SPACES, check_sensors
from vbiflow.empirical.sensor_space import make_lead_field
from vbiflow.empirical.spaces import head_to_mni, template_frame
from vbiflow.provenance import ROOT

AAL = read_regions(ROOT / "resources" / "atlases" / "aal2.tsv")
CENTRES = AAL.centres
N = len(AAL)
TEMPLATE = Connectome(np.ones((N, N)), np.ones((N, N)), AAL.labels, CENTRES, AAL.hemispheres, AAL.networks)
OWN = Connectome(
    TEMPLATE.weights, TEMPLATE.tract_lengths, AAL.labels, CENTRES, AAL.hemispheres, AAL.networks,
    (own_centres("sub-01_space-T1w_dseg.nii.gz"),),
)  # fmt: skip
NAMES = [f"{electrode}{k}" for electrode in "AB" for k in range(1, 7)]
DEEP = np.array([[x, y, z] for y, z in ((-10.0, -18.0), (-22.0, -15.0)) for x in (22, 27, 32, 37, 42, 47)])


def to_head(places: np.ndarray) -> np.ndarray:
    """Positions of MNI space [mm] in the template's head frame."""
    return mne.transforms.apply_trans(mne.transforms.invert_transform(template_frame()), places / 1000) * 1000


def write_table(path: Path, places: np.ndarray, header: str = "name\tx\ty\tz", more: list[str] | None = None) -> str:
    rows = ["\t".join(map(str, (name, *place))) for name, place in zip(NAMES, places, strict=True)]
    rows = [f"{row}\t{entry}" for row, entry in zip(rows, more, strict=True)] if more else rows
    path.write_text("\n".join([header, *rows]))
    return str(path)


def recorded(path: Path, montage: mne.channels.DigMontage | None = None) -> Path:
    info = mne.create_info(NAMES, 200.0, "seeg", verbose="ERROR")
    raw = mne.io.RawArray(1e-4 * np.random.default_rng(1).standard_normal((len(NAMES), 400)), info, verbose="ERROR")
    if montage is not None:
        raw.set_montage(montage, verbose="ERROR")
    raw.save(path, verbose="ERROR")
    return path


def montage_of(fiducials: dict[str, np.ndarray]) -> mne.channels.DigMontage:
    """Contacts in MNI space with fiducials [m] there."""
    places = dict(zip(NAMES, DEEP / 1000, strict=True))
    return mne.channels.make_dig_montage(places, coord_frame="mni_tal", **fiducials)


def template_fiducials() -> dict[str, np.ndarray]:
    folder = Path(mne.__file__).parent / "data" / "fsaverage"
    points, _ = mne.io.read_fiducials(folder / "fsaverage-fiducials.fif")
    return dict(zip(("lpa", "nasion", "rpa"), (point["r"] for point in points), strict=True))


def test_deep_contacts_in_the_head_frame_are_told_though_they_lie_within_the_brain() -> None:
    check_contacts("c.tsv", DEEP, CENTRES, NAMES)
    check_contacts("c.tsv", to_head(DEEP), CENTRES, NAMES, guess=False)
    with pytest.raises(ValueError, match=r"^c.tsv: contacts lie 1\d mm .* they fit as positions in MNE's head frame"):
        check_contacts("c.tsv", to_head(DEEP), CENTRES, NAMES)


def test_sound_implantations_pass() -> None:
    """Electrodes from any region outwards: hardly one of 300 is taken for another frame."""
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):
        starts = CENTRES[rng.integers(N, size=4)] + rng.normal(0, 6, (4, 3))
        away = np.column_stack([np.sign(starts[:, 0]), rng.normal(0, 0.3, (4, 2))])
        places = (starts[:, None] + 4.0 * np.arange(7)[:, None] * away[:, None]).reshape(-1, 3)
        places = places[(np.abs(places[:, 0]) < 65) & (places[:, 2] < 75)]
        try:
            check_contacts("c.tsv", places, CENTRES, [""] * len(places))
        except ValueError as error:
            refused += "head frame" in str(error)
    assert refused <= 3


def test_a_montage_is_converted_where_its_head_is_the_templates(tmp_path: Path) -> None:
    path = recorded(tmp_path / "s_raw.fif", montage_of(template_fiducials()))
    stored = np.array([one["loc"][:3] for one in mne.io.read_info(path, verbose="ERROR")["chs"]]) * 1000
    assert np.linalg.norm(stored - DEEP, axis=1).min() > 30
    np.testing.assert_allclose(head_to_mni(stored), DEEP, atol=3)
    field = make_lead_field(path, "seeg", {}, {"contacts": "recording"}, TEMPLATE)
    np.testing.assert_allclose(field.positions, DEEP, atol=3)
    assert field.sensors == tuple(NAMES) and field.space == "mni"


def test_a_montage_in_a_persons_own_head_frame_is_refused_in_a_line(tmp_path: Path) -> None:
    own = {name: 1.1 * place for name, place in template_fiducials().items()}
    for name, montage in {"own_raw.fif": montage_of(own), "none_raw.fif": montage_of({}), "bare_raw.fif": None}.items():
        found = "none" if montage is None else "a montage in the head frame of this person"
        recorded(tmp_path / name, montage)
        with pytest.raises(ValueError, match=rf"{name}: no positions of contacts in MNI space \(found {found}\); give"):
            make_lead_field(tmp_path / name, "seeg", {}, {"contacts": "recording"}, TEMPLATE)


CASES = {  # what BIDS says, the connectome, what the study says: the space, or the refusal
    "template in MNI": ("MNI152NLin2009cAsym", TEMPLATE, None, "mni"),
    "own regions, scanner": ("ScanRAS", OWN, None, "scanner"),
    "own regions, MNI contacts": ("MNI152Lin", OWN, None, r"contacts are in MNI152Lin, regions in the space of"),
    "template, scanner contacts": ("ScanRAS", TEMPLATE, None, r"contacts are in ScanRAS, regions in MNI space; give"),
    "own regions said to be MNI": ("MNI152Lin", OWN, "mni", "mni"),
    "template said to be scanner": ("ScanRAS", TEMPLATE, "scanner", r"space: scanner, but the centres of the"),
    "nothing said": (None, TEMPLATE, None, "mni"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("from_recording", [False, True])
def test_spaces_of_contacts_and_regions_must_be_one(case: str, from_recording: bool, tmp_path: Path) -> None:
    system, connectome, stated, expected = CASES[case]
    table = write_table(tmp_path / "sub-01_electrodes.tsv", DEEP / 10)
    if system:
        content = {"iEEGCoordinateSystem": system, "iEEGCoordinateUnits": "cm"}
        (tmp_path / "sub-01_coordsystem.json").write_text(json.dumps(content))
    sensors = {"contacts": "recording" if from_recording else table} | ({"space": stated} if stated else {})
    path = recorded(tmp_path / "sub-01_task-rest_ieeg.fif") if from_recording else None
    if expected in SPACES and (system or not from_recording):
        if not system:
            write_table(tmp_path / "sub-01_electrodes.tsv", DEEP)
        field = make_lead_field(path, "seeg", {}, sensors, connectome)
        np.testing.assert_allclose(field.positions, DEEP)
        assert field.space == expected
        return
    text = (
        expected if not from_recording or "but the centres" in expected else r"no positions of contacts in .* \(found "
    )
    with pytest.raises(ValueError, match=text):
        make_lead_field(path, "seeg", {}, sensors, connectome)


def test_centres_come_from_the_persons_own_parcellation(tmp_path: Path) -> None:
    """Regions of a matrix get the places of this person's volume, and contacts are looked for there."""
    labels = np.zeros((30, 30, 30), dtype="int16")
    for k, corner in enumerate(((2, 2, 2), (20, 2, 2), (2, 20, 2), (20, 20, 20)), start=1):
        labels[tuple(slice(at, at + 3) for at in corner)] = k
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = 100.0, -60.0, 30.0
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "dseg.nii.gz")
    (tmp_path / "r.tsv").write_text("index\tlabel\tx\ty\tz\n" + "".join(f"{k}\tr{k}\t0\t0\t0\n" for k in range(1, 5)))
    np.savetxt(tmp_path / "w.csv", np.ones((4, 4)) - np.eye(4), delimiter=",")
    files = [tmp_path / "w.csv", None, tmp_path / "r.tsv"]
    own = read_connectome(*files, parcellation=tmp_path / "dseg.nii.gz")
    np.testing.assert_allclose(own.centres[0], [112, -48, 42])
    assert [one.name for one in own.findings] == ["own_centres", "euclidean_lengths"]
    (tmp_path / "c.tsv").write_text("label\tx\ty\tz\nA1\t110\t-50\t40\nA2\t184\t-48\t42\nA3\t112\t20\t42\n")
    field = make_lead_field(None, "seeg", {}, {"contacts": str(tmp_path / "c.tsv")}, own)
    assert field.space == "scanner" and field.gain.argmax(axis=1).tolist() == [0, 1, 2]
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "space-MNI152NLin6Asym_dseg.nii.gz")
    other = read_connectome(*files, parcellation=tmp_path / "space-MNI152NLin6Asym_dseg.nii.gz")
    assert [one.name for one in other.findings] == ["template_centres", "euclidean_lengths"]


def test_names_of_regions_beside_positions_are_held_against_them(tmp_path: Path, capsys) -> None:
    near = np.linalg.norm(DEEP[:, None] - CENTRES, axis=-1).argmin(axis=1)
    named = [AAL.labels[k] for k in near]
    header = "name\tx\ty\tz\tregion\tregoin\timpedance"
    table = write_table(tmp_path / "c.tsv", DEEP, header, [f"{name}\t\t5" for name in named])
    make_lead_field(None, "seeg", {}, {"contacts": table}, TEMPLATE)
    assert "c.tsv: columns that nobody reads: regoin (did you mean region?), impedance" in capsys.readouterr().out
    table = write_table(tmp_path / "c.tsv", DEEP * [-1, 1, 1], header, [f"{name}\t\t5" for name in named])
    with pytest.raises(ValueError, match=r"c.tsv: contacts lie \d\d mm from the regions of their column region"):
        make_lead_field(None, "seeg", {}, {"contacts": table}, TEMPLATE)


def test_contacts_without_a_position_are_left_out_and_told(tmp_path: Path, capsys) -> None:
    """BIDS writes n/a; a recording that needs such a contact says so by its name."""
    rows = ["\t".join(map(str, (name, *place))) for name, place in zip(NAMES, DEEP, strict=True)]
    rows[3:5] = [f"{name}\tn/a\tn/a\tn/a" for name in NAMES[3:5]]
    table = tmp_path / "c.tsv"
    table.write_text("\n".join(["name\tx\ty\tz", *rows]))
    field = make_lead_field(None, "seeg", {}, {"contacts": str(table)}, TEMPLATE)
    assert field.sensors == tuple(NAMES[:3] + NAMES[5:])
    assert "c.tsv: 2 contacts have no position and are left out: A4, A5" in capsys.readouterr().out
    path = recorded(tmp_path / "s_raw.fif")
    with pytest.raises(ValueError, match=r"^\S+c.tsv: lead field: no sensor A4, A5; it has"):
        make_lead_field(path, "seeg", {}, {"contacts": str(table)}, TEMPLATE)


def test_options_of_the_space_are_checked() -> None:
    with pytest.raises(ValueError, match=r"space: found 'head'; choose from mni, scanner; MNE's head frame is each"):
        check_sensors({"contacts": "c.tsv", "space": "head"})
    with pytest.raises(ValueError, match=r"space: says where contacts are, but contacts is missing"):
        check_sensors({"template": "fsaverage5-dk", "space": "mni"})


def test_what_is_wrong_with_a_head_names_its_file(tmp_path: Path) -> None:
    table = tmp_path / "gain.csv"
    table.write_text(f"sensor,{','.join(AAL.labels)}\n" + "".join(f"{name}{',0' * N}\n" for name in NAMES))
    with pytest.raises(
        ValueError, match=r"^\S+gain.csv: lead field: 94 regions reach no sensor: .*; their sources lie"
    ):
        make_lead_field(None, "eeg", {}, {"lead_field": str(table)}, TEMPLATE)
    table.write_text("label,x,y,z\n" + "".join(f"{name},20,?,5\n" for name in NAMES))
    with pytest.raises(ValueError, match=r"^\S+gain.csv: a coordinate is no number"):
        make_lead_field(None, "seeg", {}, {"contacts": str(table)}, TEMPLATE)
    table.write_text("label,x,y,z\n" + "".join(f"{name},20,-10,-18\n" for name in NAMES))
    bare = Connectome(
        TEMPLATE.weights, TEMPLATE.tract_lengths, AAL.labels, np.nan * CENTRES, AAL.hemispheres, AAL.networks
    )
    with pytest.raises(ValueError, match=r"^\S+gain.csv: lead field: a contact or a region has no position; give x, y"):
        make_lead_field(None, "seeg", {}, {"contacts": str(table)}, bare)
