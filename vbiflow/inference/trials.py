"""The ways in which the first network is trained, of which training keeps what validates best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from vbiflow.inference.inputs import MANY_PARAMETERS, Condenser
from vbiflow.inference.reduction import Reduction

DROPOUT = 0.1
MOST_UNREDUCED = 500
"""Features up to which a network of all of them is tried: of more it learns the noise by heart, and takes long."""


class Trial(NamedTuple):
    """Options of a training, its condenser, the inputs of the first training rows where they are not its own, and what
    it has that the other trial does not, empty where there is no other.
    """

    options: dict[str, Any]
    condenser: Condenser
    own: np.ndarray
    name: str = ""


def trials(options: Mapping[str, Any], condenser: Condenser, own: np.ndarray, n_parameters: int) -> list[Trial]:
    """The training that the options ask for, then another one where it is worth a try.

    With 20 parameters or more a network of few simulations grows overconfident: the other is trained with dropout,
    unless `dropout` is none, the estimator knows none, or the study gives its own. With fewer parameters many features
    may each follow one of them closely, and tell more than regressions on them and tests of each do: the other sees all
    features, where the reduction leaves fewer inputs.
    """
    found = [Trial(dict(options), condenser, own)]
    name, given = options["estimator"]["name"], options["estimator"]["options"]
    n_features = len(condenser.reduction.mean)
    if n_parameters >= MANY_PARAMETERS:
        if options["dropout"] == "auto" and given.get("dropout_probability") == 0.0:
            estimator = {"name": name, "options": given | {"dropout_probability": DROPOUT}}
            changed = dict(options) | {"estimator": estimator}
            found = [found[0]._replace(name="without dropout"), Trial(changed, condenser, own, "dropout")]
    elif condenser.n_outputs < n_features <= MOST_UNREDUCED:
        whole = Condenser(Reduction.identity(n_features))
        every = Trial(dict(options), whole, np.empty((0, n_features)), "all features")
        found = [found[0]._replace(name="reduced features"), every]
    return found
