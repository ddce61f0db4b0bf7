"""Forward models by MNE: a template head, regions as labels, lead fields of regions, source reconstruction."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mne
import nibabel as nib
import numpy as np

from vbiflow.arrays.text import read_lines
from vbiflow.empirical.lead_field import LeadField
from vbiflow.empirical.montages import check_positions
from vbiflow.empirical.recording import Recording
from vbiflow.empirical.sensor_options import METHODS

CENTRE = (0.0, 0.0, 0.04)
"""Centre of the sphere [m] in the head frame for MEG."""
MEG_RADIUS = 0.08
"""Radius [m] within which MEG sources are kept, where no electrodes tell the size of the head."""
INSIDE = 0.97
"""Sources beyond this share of the inner skull's radius are drawn in to it; MNE would drop or silence them."""
NO_REGION = ("unknown", "???", "corpuscallosum", "medial_wall", "medialwall", "medial wall")


def template_forward(
    info: mne.Info, surfaces: Sequence[str | Path], annotations: Sequence[str | Path], kind: str
) -> tuple[mne.Forward, list[mne.Label]]:
    """Forward solution of sources on a template's cortex in a spherical head, and its regions as labels.

    `surfaces` and `annotations` are the left and right GIFTI surfaces [mm, fsaverage] and label files; `kind` is eeg or
    meg. Sources stand in the head frame and are drawn in to INSIDE of the inner radius, so that none is lost. Sarvas
    1987, doi:10.1088/0031-9155/32/1/004.

    Raises
    ------
    ValueError
        If electrodes have no position, or if a source falls out of the head.
    """
    check_positions(info)
    info = place_device(info, kind)
    sphere, radius = spherical_head(info, kind)
    with tempfile.TemporaryDirectory() as folder:
        for side, surface in zip(("lh", "rh"), surfaces, strict=True):
            points, faces = (array.data for array in nib.load(surface).darrays[:2])
            points = clamp_to_sphere(to_head_frame(points / 1000.0), np.asarray(sphere["r0"]), INSIDE * radius)
            path = Path(folder, "template", "surf", f"{side}.pial")
            path.parent.mkdir(parents=True, exist_ok=True)
            mne.write_surface(path, points * 1000, faces)
        sources = mne.setup_source_space(
            "template", "all", "pial", subjects_dir=folder, add_dist=False, verbose="ERROR"
        )
    modalities = {"meg": kind == "meg", "eeg": kind != "meg"}
    forward = mne.make_forward_solution(info, None, sources, sphere, mindist=0, verbose="ERROR", **modalities)
    lost = sum(source["nuse"] for source in sources) - forward["nsource"]
    if lost:
        raise ValueError(f"lead field: {lost} of {lost + forward['nsource']} sources fell out of the head")
    left, right = annotations
    return forward, [*gifti_labels(left, "lh"), *gifti_labels(right, "rh")]


def gifti_labels(path: str | Path, side: str) -> list[mne.Label]:
    """Regions of one hemisphere from a GIFTI label file."""
    image = nib.load(path)
    keys, names = image.darrays[0].data, image.labeltable.get_labels_as_dict()
    return [
        mne.Label(np.flatnonzero(keys == key), hemi=side, name=f"{names[key]}-{side}", subject="template")
        for key in np.unique(keys)
        if names[key].lower() not in NO_REGION
    ]


def annotation_labels(left: str | Path, right: str | Path) -> list[mne.Label]:
    """Regions of both hemispheres from FreeSurfer's .annot files, or from folders of its .label files.

    Raises
    ------
    ValueError
        If a file cannot be read, or a folder holds none.
    """
    labels = []
    for side, path in (("lh", left), ("rh", right)):
        if Path(path).is_dir():
            labels += folder_labels(path, side)
            continue
        try:
            keys, _, names = nib.freesurfer.read_annot(path)
        except Exception as error:
            raise ValueError(f"{path}: not an annotation that nibabel reads ({str(error).splitlines()[0]})") from None
        for key, name in enumerate(name.decode() for name in names):
            if name.lower() not in NO_REGION and (keys == key).any():
                labels.append(mne.Label(np.flatnonzero(keys == key), hemi=side, name=f"{name}-{side}"))
    return labels


def folder_labels(folder: str | Path, side: str) -> list[mne.Label]:
    """Regions of one hemisphere from FreeSurfer's .label files, one each, named as ``lh.insula.label``."""
    found = []
    for path in sorted(Path(folder).glob("*.label")):
        name = path.stem.removeprefix(f"{side}.").removesuffix(f"-{side}")
        if name.startswith(("lh.", "rh.")) or name.endswith(("-lh", "-rh")) or name.lower() in NO_REGION:
            continue
        found.append(mne.Label(label_vertices(path), hemi=side, name=f"{name}-{side}"))
    if not found:
        raise ValueError(f"{folder}: no .label file of {side}; give FreeSurfer's .annot, or a folder of labels")
    return found


def label_vertices(path: Path) -> np.ndarray:
    """Vertices of a .label file: a comment, their number, and a line each that begins with one."""
    try:
        lines = read_lines(path)
        vertices = [int(line.split()[0]) for line in lines[2:] if line.strip()]
        if len(vertices) != int(lines[1]) or not vertices:
            raise ValueError(f"{len(vertices)} vertices, but its second line says {lines[1].strip()}")
    except (ValueError, IndexError) as error:
        raise ValueError(f"{path}: not a whole label of FreeSurfer ({error})") from None
    return np.sort(vertices)


def read_forward(path: str | Path) -> mne.Forward:
    """A forward solution that MNE wrote (-fwd.fif)."""
    if not Path(path).is_file():
        raise ValueError(f"{path}: no such file")
    try:
        return mne.read_forward_solution(path, verbose="ERROR")
    except Exception as error:
        raise ValueError(f"{path}: not a forward solution of MNE ({str(error).splitlines()[0]})") from None


def region_lead_field(forward: mne.Forward, labels: Sequence[mne.Label]) -> LeadField:
    """Sum of the gain of a region's sources normal to the cortex, each weighted by its share of the surface [mm2].

    Raises
    ------
    ValueError
        If a region has no source, or if the sources do not lie on a surface.
    """
    fixed = normal_to_cortex(forward)
    gain, sources = fixed["sol"]["data"], fixed["src"]
    areas = [vertex_areas(source)[source["vertno"]] for source in sources]
    columns = []
    for label in labels:
        which = 0 if label.hemi == "lh" else 1
        inside = np.flatnonzero(np.isin(sources[which]["vertno"], label.vertices))
        if not inside.size:
            raise ValueError(
                f"lead field: region {label.name} has no source; use a denser source space or leave it out"
            )
        offset = which * sources[0]["nuse"]
        columns.append(gain[:, offset + inside] @ areas[which][inside])
    names = tuple(label.name for label in labels)
    return LeadField(np.stack(columns, axis=1), tuple(fixed["sol"]["row_names"]), names)


def normal_to_cortex(forward: mne.Forward) -> mne.Forward:
    """The forward solution with one source a vertex, normal to the surface."""
    if any(source["type"] != "surf" for source in forward["src"]) or len(forward["src"]) != 2:
        raise ValueError("lead field: the forward solution's sources must lie on the surfaces of both hemispheres")
    return mne.convert_forward_solution(forward, surf_ori=True, force_fixed=True, use_cps=False, verbose="ERROR")


def vertex_areas(source: Mapping[str, Any]) -> np.ndarray:
    """Area [mm2] of every vertex of a surface: a third of its triangles."""
    points, faces = source["rr"] * 1000, source["tris"]
    cross = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    thirds = np.repeat(np.linalg.norm(cross, axis=1) / 6, 3)
    return np.bincount(faces.ravel(), thirds, minlength=len(points))


def reconstruct(
    raw: mne.io.BaseRaw,
    forward: mne.Forward,
    labels: Sequence[mne.Label],
    *,
    method: str = "dSPM",
    snr: float = 3.0,
    noise: mne.Covariance | None = None,
    mode: str | None = None,
) -> Recording:
    """Regional source series of a sensor recording, by a minimum-norm inverse or a beamformer (LCMV).

    Sources are normal to the cortex. Dale et al. 2000, doi:10.1016/S0896-6273(00)81138-1; Van Veen et al. 1997,
    doi:10.1109/10.623056.

    Parameters
    ----------
    raw : the recording, cleaned.
    forward : forward solution of its sensors.
    labels : the regions on the cortex.
    method : MNE, dSPM, sLORETA, eLORETA or LCMV.
    snr : signal to noise ratio that the regularisation 1 / snr^2 supposes.
    noise : covariance of the sensors' noise; without it sensors count as equally noisy.
    mode : how vertices become a region, as in MNE's extract_label_time_course: by default mean_flip, and pca_flip for
        LCMV, whose sharp focus the mean over a region would lose.

    Raises
    ------
    ValueError
        If the method is unknown, or if recording and forward solution do not fit together.
    """
    if method not in METHODS:
        raise ValueError(f"recording.method: found {method!r}; choose from {', '.join(METHODS)}")
    missing = [name for name in raw.ch_names if name not in forward["sol"]["row_names"]]
    if missing:
        raise ValueError(f"sources: the forward solution lacks channel {missing[0]!r}; drop it or make another")
    raw = raw.copy()
    if "eeg" in raw:
        raw.set_eeg_reference(projection=True, verbose="ERROR")
    noise = noise or mne.make_ad_hoc_cov(raw.info, verbose="ERROR")
    estimates = (beamformer if method == "LCMV" else minimum_norm)(raw, normal_to_cortex(forward), noise, method, snr)
    mode = mode or ("pca_flip" if method == "LCMV" else "mean_flip")
    series = mne.extract_label_time_course(estimates, list(labels), forward["src"], mode, verbose="ERROR")
    return Recording(np.asarray(series), float(raw.info["sfreq"]), tuple(label.name for label in labels), "source")


def minimum_norm(raw: mne.io.BaseRaw, forward: mne.Forward, noise: mne.Covariance, method: str, snr: float) -> Any:
    """Source estimate of MNE's minimum-norm family."""
    inverse = mne.minimum_norm.make_inverse_operator(
        raw.info, forward, noise, loose=0, fixed=True, depth=None, verbose="ERROR"
    )
    return mne.minimum_norm.apply_inverse_raw(raw, inverse, 1 / snr**2, method, verbose="ERROR")


def beamformer(raw: mne.io.BaseRaw, forward: mne.Forward, noise: mne.Covariance, method: str, snr: float) -> Any:
    """Source estimate of a unit-noise-gain LCMV beamformer."""
    data = mne.compute_raw_covariance(raw, method="empirical", rank="info", verbose="ERROR")
    filters = mne.beamformer.make_lcmv(
        raw.info, forward, data, 1 / snr**2, noise, weight_norm="unit-noise-gain", rank="info", verbose="ERROR"
    )
    return mne.beamformer.apply_lcmv_raw(raw, filters, verbose="ERROR")


def to_head_frame(points: np.ndarray) -> np.ndarray:
    """Points of fsaverage's surfaces [m] in the head frame of its fiducials."""
    folder = Path(mne.__file__).parent / "data" / "fsaverage"
    head_to_mri = mne.read_trans(folder / "fsaverage-trans.fif", verbose="ERROR")
    return mne.transforms.apply_trans(mne.transforms.invert_transform(head_to_mri), points)


def clamp_to_sphere(points: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """Points with those outside a sphere moved radially onto it."""
    away = np.linalg.norm(points - centre, axis=1, keepdims=True)
    return centre + (points - centre) * np.minimum(1.0, radius / np.maximum(away, 1e-12))


def spherical_head(info: mne.Info, kind: str) -> tuple[Any, float]:
    """Spherical head model and the radius of its inner skull [m]."""
    if kind == "meg":
        return mne.make_sphere_model(CENTRE, None, info, verbose="ERROR"), MEG_RADIUS
    try:
        sphere = mne.make_sphere_model("auto", "auto", info, verbose="ERROR")
    except (RuntimeError, ValueError):
        raise ValueError("lead field: electrodes have no position; set recording.montage") from None
    return sphere, float(sphere["layers"][0]["rad"])


def place_device(info: mne.Info, kind: str) -> mne.Info:
    """Sensor description in which the MEG device's place over the head is known.

    An identity says that it is not: MNE writes it for its canonical sensors, and where no marker was read.
    """
    stated = info["dev_head_t"]
    if kind != "meg" or (stated is not None and not np.allclose(stated["trans"], np.eye(4))):
        return info
    info = info.copy()
    with info._unlock():
        info["dev_head_t"] = mne.transforms.Transform("meg", "head", mne.transforms.translation(0, 0, CENTRE[2]))
    return info
