"""From the files of one person to the connectome that models run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.maps import with_maps
from vbiflow.connectome.quality import inspect
from vbiflow.connectome.read import read_connectome


def prepare_connectome(
    row: Mapping[str, str],
    options: Mapping[str, Any],
    maps: Mapping[str, str],
    delays: tuple[float, float, float] | None,
) -> Connectome:
    """The connectome of a cohort row: read, inspected, with its regional maps, normalised.

    Parameters
    ----------
    row
        Entries weights, tract_lengths, regions, parcellation and streamline_weights of the cohort table.
    options
        The study's block connectome.
    maps
        Files of the regional maps by name.
    delays
        Lowest and highest conduction speed [m/s] and dt [ms] that its lengths are checked for; None without delays.

    Raises
    ------
    ValueError
        In one line, if a file is unreadable, or what it holds is no connectome that a model can run on.
    """
    connectome = read_connectome(
        row["weights"],
        row["tract_lengths"],
        row["regions"],
        options["select"],
        parcellation=row["parcellation"],
        streamlines=options["streamlines"] | {"streamline_weights": row["streamline_weights"]},
    )
    connectome = with_maps(inspect(connectome, options["accept"], row["weights"], row["tract_lengths"]), maps)
    if delays:
        connectome.check_delays(*delays)
    return connectome.normalised(options["normalise"])
