"""How far simulations are from a recording: scores for point fits and predictive checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.features.batch import namespace


def upper_triangle(matrix: Any, first: int = 1) -> Any:
    """Values above the diagonal of matrices (..., k, k), from the diagonal `first` on."""
    keep = np.triu(np.ones(matrix.shape[-2:], dtype=bool), first)
    return matrix[..., namespace(matrix).asarray(keep)]


def fc_correlation(simulated: Any, observed: Any) -> Any:
    """Pearson correlation between the pairs of simulated FC (..., n_nodes, n_nodes) and of an observed one.

    Raises
    ------
    ValueError
        If the matrices differ in size.
    """
    if simulated.shape[-2:] != observed.shape[-2:]:
        raise ValueError(f"FC of {simulated.shape[-1]} nodes cannot be compared with FC of {observed.shape[-1]} nodes")
    xp = namespace(simulated)
    a, b = upper_triangle(simulated).astype("float64"), upper_triangle(observed).astype("float64")
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    norm = xp.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return xp.where(norm > 0, (a * b).sum(axis=-1) / xp.where(norm > 0, norm, 1.0), 0.0)


def ks_distance(first: Any, second: Any) -> float:
    """Kolmogorov-Smirnov distance, the largest gap between two cumulative distributions of values."""
    xp = namespace(first)
    a, b = xp.sort(first), xp.sort(second)
    both = xp.concatenate([a, b])
    gap = xp.searchsorted(a, both, side="right") / a.size - xp.searchsorted(b, both, side="right") / b.size
    return float(abs(gap).max())


def fcd_ks(simulated: Any, observed: Any, first: int = 1) -> Any:
    """Kolmogorov-Smirnov distance between the values of simulated FCD (n, n_windows, n_windows) and observed FCD.

    The two may differ in their number of windows. `first` is the first diagonal that counts.

    References
    ----------
    Hansen et al. 2015, doi:10.1016/j.neuroimage.2014.11.001
    """
    values = upper_triangle(observed, first)
    if simulated.ndim == 2:
        return ks_distance(upper_triangle(simulated, first), values)
    return np.array([ks_distance(upper_triangle(matrix, first), values) for matrix in simulated])


def psd_distance(simulated: Any, observed: Any) -> Any:
    """Root mean square difference of the decadic logarithms of densities (n, ..., n_frequencies) and an observed one.

    Raises
    ------
    ValueError
        If the densities have different frequencies.
    """
    if simulated.shape[-1] != observed.shape[-1]:
        raise ValueError(
            f"density at {simulated.shape[-1]} frequencies cannot be compared with one at {observed.shape[-1]}; "
            "use the same segment length and sampling rate"
        )
    xp = namespace(simulated)
    gap = xp.log10(xp.maximum(simulated, 1e-300)) - xp.log10(xp.maximum(observed, 1e-300))
    return xp.sqrt((gap**2).mean(axis=tuple(range(gap.ndim - observed.ndim, gap.ndim))))


def relative_spectra(density: Any) -> Any:
    """Densities (..., n_frequencies) of each node over their mean over the frequencies, which has no unit."""
    xp = namespace(density)
    return density / xp.maximum(density.mean(axis=-1, keepdims=True), 1e-300)


def relative_psd_distance(simulated: Any, observed: Any) -> Any:
    """`psd_distance` of `relative_spectra`: their form, where the unit of one of them is not known."""
    return psd_distance(relative_spectra(simulated), relative_spectra(observed))


def series_error(simulated: Any, observed: Any) -> Any:
    """Root mean square difference of series (n, n_nodes, n_times) from observed ones, over their standard deviation.

    For signals whose course is the same each time, such as a seizure that noise does not drive.

    Raises
    ------
    ValueError
        If the series differ in nodes or length.
    """
    if simulated.shape[-2:] != observed.shape[-2:]:
        raise ValueError(f"series {simulated.shape[-2:]} cannot be compared with series {observed.shape[-2:]}")
    xp = namespace(simulated)
    gap = ((simulated - observed) ** 2).mean(axis=(-2, -1))
    return xp.sqrt(gap) / max(float(observed.std()), 1e-300)


@dataclass(frozen=True)
class Score:
    """How alike two series are in one `quantity` (fc, fcd, psd, series), and how to speak of it.

    `compare` takes the quantity of several simulations and of one recording; `sign` is 1 where more is better.
    """

    quantity: str
    compare: Callable[[Any, Any], Any]
    label: str
    sign: int
    bounds: tuple[float, float]
    what: str
    by: str

    def measures(self, grade: str) -> bool:
        """Whether the score has what a grade of the model is measured by.

        Nodes can be shuffled where they have an order, which FCD has not; a course in time has no other half.
        """
        if grade == "above_chance":
            return self.quantity != "fcd"
        return grade != "own_half" or self.quantity != "series"

    def worst(self, floor: Any) -> float:
        """The value that 95 % of the pairs of the noise floor reach."""
        return float(np.quantile(floor, 0.05 if self.sign > 0 else 0.95))


SCORES = {
    "fc_correlation": Score(
        "fc", fc_correlation, "FC correlation", 1, (-1.0, 1.0), "the functional connectivity", "correlation over edges"
    ),
    "fcd_ks": Score(
        "fcd", fcd_ks, "FCD distance (KS)", -1, (0.0, 1.0), "the dynamics of functional connectivity",
        "Kolmogorov-Smirnov distance of FCD values",
    ),
    "psd_distance": Score(
        "psd", psd_distance, "PSD distance [log10]", -1, (0.0, np.inf), "the power spectral density",
        "root mean square difference of log10 densities",
    ),
    "relative_psd_distance": Score(
        "psd", relative_psd_distance, "distance of relative PSD [log10]", -1, (0.0, np.inf),
        "the form of the power spectral density", "root mean square difference of log10 densities over their mean",
    ),
    "series_error": Score(
        "series", series_error, "series error", -1, (0.0, np.inf), "the course of the signals",
        "root mean square difference over the recording's standard deviation",
    ),
}  # fmt: skip

TABLE_SCORE = "relative_psd_distance"
"""By which tables of spectra are compared, whatever scores of series a study names."""


def choose_scores(names: Sequence[str] | None, signal: str) -> list[str]:
    """Names of the scores of a study: its own, or FC and FCD for BOLD, FC and PSD for any other signal.

    Raises
    ------
    ValueError
        If a score is unknown.
    """
    for name in names or ():
        if name not in SCORES:
            raise ValueError(f"diagnostics.scores: unknown score {name!r}; choose from {', '.join(SCORES)}")
    return list(names or ("fc_correlation", "fcd_ks" if signal == "bold" else "psd_distance"))
