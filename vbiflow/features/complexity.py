"""Complexity of single series, by antropy and pycatch22."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vbiflow.features.batch import Batch
from vbiflow.features.feature import Option, Pieces, feature, per


@feature("lempel_ziv", reference="Lempel and Ziv 1976, doi:10.1109/TIT.1976.1055501", per=per())
def lempel_ziv(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Lempel-Ziv complexity of the series split at its median, in units of that of a random sequence."""
    from antropy import lziv_complexity

    values = batch.each_series(lambda y: [lziv_complexity((y > np.median(y)).astype(int), normalize=True)], 1)
    yield batch.nodes.reduce(values[..., 0], per)


@feature(
    "permutation_entropy",
    reference="Bandt and Pompe 2002, doi:10.1103/PhysRevLett.88.174102",
    per=per(),
    order=Option(3, "integer", "how many values make a pattern", minimum=2),
    delay=Option(None, "number", "distance of the values of a pattern; null: one sample", "s", minimum=0),
)
def permutation_entropy(batch: Batch, *, per: Sequence[str], order: int, delay: float | None) -> Pieces:
    """Shannon entropy of the order patterns of neighbouring values, in units of its largest value."""
    from antropy import perm_entropy

    lag = 1 if delay is None else batch.samples(delay, "delay")
    values = batch.each_series(lambda y: [perm_entropy(y, order=order, delay=lag, normalize=True)], 1)
    yield batch.nodes.reduce(values[..., 0], per)


@feature(
    "sample_entropy",
    unit="nat",
    reference="Richman and Moorman 2000, doi:10.1152/ajpheart.2000.278.6.H2039",
    per=per(),
    order=Option(2, "integer", "length of the pieces that are compared", minimum=1),
    tolerance=Option(0.2, "number", "how far apart pieces may be to count as alike, in sd of the series", minimum=0),
)
def sample_entropy(batch: Batch, *, per: Sequence[str], order: int, tolerance: float) -> Pieces:
    """-log of the probability that pieces alike stay alike one sample on; it takes time that grows as n_times^2."""
    from antropy import sample_entropy as entropy

    values = batch.each_series(lambda y: [entropy(y, order=order, tolerance=tolerance * y.std())], 1)
    yield batch.nodes.reduce(values[..., 0], per)


@feature("fractal_dimension", reference="Higuchi 1988, doi:10.1016/0167-2789(88)90081-4", per=per())
def fractal_dimension(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Higuchi's fractal dimension: 1 for a smooth curve, 2 for white noise."""
    from antropy import higuchi_fd

    yield batch.nodes.reduce(batch.each_series(lambda y: [higuchi_fd(y)], 1)[..., 0], per)


@feature("detrended_fluctuation", reference="Peng et al. 1994, doi:10.1103/PhysRevE.49.1685", per=per())
def detrended_fluctuation(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Exponent of detrended fluctuation analysis: 0.5 for white noise, 1 for 1/f noise, 1.5 for a random walk."""
    from antropy import detrended_fluctuation as exponent

    yield batch.nodes.reduce(batch.each_series(lambda y: [exponent(y)], 1)[..., 0], per)


@feature(
    "catch22",
    unit="y (DN_Mean, DN_Spread_Std), 1",
    reference="Lubba et al. 2019, doi:10.1007/s10618-019-00647-x",
    per=per(),
    catch24=Option(False, "boolean", "whether to add mean and sd"),
)
def catch22(batch: Batch, *, per: Sequence[str], catch24: bool) -> Pieces:
    """The 22 canonical time-series characteristics, under the names that catch22 gives them."""
    from pycatch22 import catch22_all

    names = catch22_all(np.sin(np.arange(50.0)), catch24=catch24)["names"]
    values = batch.each_series(lambda y: catch22_all(y.tolist(), catch24=catch24)["values"], len(names))
    for k, name in enumerate(names):
        yield batch.nodes.reduce(values[..., k], per, name)
