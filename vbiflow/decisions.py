"""Ways to decide a claim of the paper by the result files of a case study: confirmed, refuted, or undecided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.signal import find_peaks
from scipy.stats import gaussian_kde

from vbiflow.diagnostic_options import GOOD, THRESHOLDS
from vbiflow.io import read, read_attributes, read_json
from vbiflow.prior import Prior

NOT_COMPARED, NO_CURVE = "not compared at this scale", "no learning curve at this scale"
ENOUGH = 200
"""Held-out simulations from which a claim can be decided."""
RECOVERED, UNTOLD = 0.5, 0.1
"""Median shrinkage from which a parameter counts as recovered, and up to which it may not be told by the features."""
LEAST = THRESHOLDS["information"]
"""Median information [nat] below which it is not told: two modes shrink nothing, and tell much."""
LEARNT = {"rmse", "coverage_90", "shrinkage", "information"}
"""What is read of a learning curve."""
CALIBRATED = 0.9
"""Share of a parameter's posteriors that must be calibrated for a claim on it to be decided."""
CLOSE = 0.1
"""Largest distance from a correlation that the paper prints, and tolerated excess of an error, as a share of it."""
RAW_MAPS = {"myelin": (1.315, 0.141), "gradient": (0.777, 3.19)}
"""Mean and standard deviation over regions of the maps of the paper's code, whose z-scores the study takes."""
STEEPER = 2.0
"""How many times as steep along one parameter as along another a posterior must be: two estimators that learnt from
the same simulations of the Stuart-Landau study differ by 1.6 either way."""

WHOLE = 0.995
"""Share of regions in their zone that rounds to the 100 % of the paper."""
PEAK = 0.1
"""Least height of a mode above the valley beside it, as a share of the highest."""

Decision = tuple[bool | None, str]
"""Whether the results bear a claim out, None if they do not decide, and the numbers that say so."""


@dataclass(frozen=True)
class Results:
    """Result files of one study, read when they are asked for.

    `paths`: of diagnostics, calibration, features_report, prior, samples (one a person); sensitivity, baselines,
    learning_curve or "". `others`: results of the other studies, by their names.
    """

    paths: Mapping[str, Any]
    others: Mapping[str, Results] = field(default_factory=dict)

    @cached_property
    def diagnostics(self) -> dict[str, Any]:
        """What diagnostics.json holds."""
        return read_json(self.paths["diagnostics"])

    def of(self, parameter: str, key: str) -> list[Any]:
        """What the diagnostics say under `key` of a parameter, one value for each region or coefficient.

        Raises
        ------
        ValueError
            If it is not inferred.
        """
        entries = self.diagnostics["parameters"].items()
        found = [one[key] for name, one in entries if name.partition("[")[0] == parameter]
        if not found:
            raise ValueError(f"{self.paths['diagnostics']}: no parameter {parameter} is inferred")
        return found

    def explained(self, parameter: str) -> float:
        """Share of a parameter's variance that a regression on the features explains, the median over its regions."""
        shares = read_json(self.paths["features_report"])["explained"].items()
        return float(np.median([share for name, share in shares if name.partition("[")[0] == parameter]))

    def baselines(self, key: str, *names: str) -> list[float]:
        """What the comparison of estimators says under `key` of some of them; nothing if one was not compared."""
        methods = (self.file("baselines") or {}).get("methods", {})
        return [methods[name][key] for name in names] if {*names} <= methods.keys() else []

    def calibrated(self, *parameters: str) -> bool:
        """Whether enough simulations are held out and nearly all posteriors of the parameters are calibrated."""
        good = np.mean([word in GOOD for parameter in parameters for word in self.of(parameter, "verdict")])
        return bool(self.diagnostics["n_test"] >= ENOUGH and good >= CALIBRATED)

    def jointly_calibrated(self, *parameters: str) -> bool:
        """Whether the posteriors are calibrated one by one, and TARP does not speak against the joint posterior."""
        return self.calibrated(*parameters) and self.diagnostics["tarp"]["verdict"] in GOOD

    def samples(self, *parameters: str) -> tuple[np.ndarray, np.ndarray]:
        """Posterior samples (n, p) of the first person, and draws from the prior (m, p), of some parameters."""
        found = read(self.paths["samples"][0], "theta", "names")
        columns = [list(found["names"]).index(name) for name in parameters]
        drawn = Prior.from_plain(read_attributes(self.paths["prior"])["prior"]).sample(0, 0, 4000)
        return np.asarray(found["theta"], float)[:, columns], np.asarray(drawn, float)[:, columns]

    def learning(self, parameter: str, few: int) -> tuple[dict[str, np.ndarray], int] | None:
        """A parameter's learning curve, scores by number of simulations, and the place of `few`; or None."""
        curve = self.file("learning_curve")
        if curve is None or few not in curve["n_simulations"]:
            return None
        column, scores = list(curve["parameters"]).index(parameter), curve.keys() & LEARNT
        found = {key: np.asarray(curve[key])[0, :, column] for key in scores}
        return found | {"n_simulations": curve["n_simulations"]}, list(curve["n_simulations"]).index(few)

    def file(self, key: str) -> dict[str, Any] | None:
        """What an optional HDF5 or JSON file holds, None where the study does not ask for it."""
        path = self.paths.get(key)
        return None if not path else read_json(path) if str(path).endswith(".json") else read(path)


Decide = Callable[[Results], Decision]
"""A way to decide: made for some parameters, it reads the results of a study."""


def recovery(shrinkage: float, information: float) -> bool | None:
    """Whether a parameter is recovered, True, or nothing is told of it, False; None between."""
    if shrinkage >= RECOVERED:
        return True
    return False if shrinkage <= UNTOLD and information < LEAST else None


def recovered(parameter: str, wanted: bool = True) -> Decide:
    """Whether a parameter's medians over regions are those of one recovered, or (`wanted` False) of one not told.

    Not told is undecided where a regression finds in the features what the estimator missed.
    """

    def decide(results: Results) -> Decision:
        shrinkage, nat = (float(np.median(results.of(parameter, key))) for key in ("shrinkage", "information"))
        explained, answer = results.explained(parameter), recovery(shrinkage, nat)
        words = results.of(parameter, "verdict")
        good = float(np.mean([word in GOOD for word in words]))
        numbers = f"shrinkage {shrinkage:.2f}, {nat:.2f} nat, a regression explains {explained:.0%}; "
        numbers += f"{round(good * len(words))} of {len(words)} calibrated" if len(words) > 1 else words[0]
        missed = answer is False and explained > UNTOLD
        if not results.calibrated(parameter) or answer is None or missed:
            return None, numbers
        return answer == wanted, numbers

    return decide


def classified(parameter: str, *zones: float) -> Decide:
    """Whether the posterior means of held-out regions lie in the zones of their true values, nearly all of them.

    A zone is what is nearer to its value, in rising order, than to the next one's.
    """
    limits = np.add(zones[1:], zones[:-1]) / 2

    def decide(results: Results) -> Decision:
        found = read(results.paths["calibration"], "names", "theta", "mean")
        columns = [k for k, name in enumerate(found["names"]) if name.partition("[")[0] == parameter]
        truth, mean = (np.digitize(found[key][:, columns], limits) for key in ("theta", "mean"))
        share, far = float(np.mean(truth == mean)), float(np.mean(abs(truth - mean) > 1))
        numbers = f"{share:.1%} of {truth.size} held-out regions in their zone by the posterior mean, "
        numbers += f"{far:.1%} further off than the next; limits {', '.join(f'{limit:g}' for limit in limits)}"
        return (share >= WHOLE if results.calibrated(parameter) else None), numbers

    return decide


def degraded(parameter: str, than: str) -> Decide:
    """Whether a parameter's posterior variance, the median over its regions, is larger than in the study `than`."""

    def decide(results: Results) -> Decision:
        if than not in results.others:
            return None, f"{than} is not among the studies"
        both = [results, results.others[than]]
        here, there = (float(np.median(one.of(parameter, "shrinkage"))) for one in both)
        numbers = f"shrinkage {here:.3f}, in {than} {there:.3f}"
        if not all(one.calibrated(parameter) for one in both):
            return None, numbers
        return bool(1 - here > (1 + CLOSE) * (1 - there)), numbers

    return decide


def correlated(one: str, other: str, printed: float) -> Decide:
    """Whether two parameters' posterior of the first person has the correlation that the paper prints."""

    def decide(results: Results) -> Decision:
        rho = float(np.corrcoef(results.samples(one, other)[0], rowvar=False)[0, 1])
        decided = results.jointly_calibrated(one, other)
        return (abs(rho - printed) <= CLOSE if decided else None), f"correlation {rho:.2f}"

    return decide


def more_sensitive(one: str, other: str) -> Decide:
    """Whether the first person's posterior falls more steeply along `one`, clearly, or along `other`.

    By the diagonal of the mean of s s', with s the gradient of the log posterior.
    """

    def decide(results: Results) -> Decision:
        found = read(results.paths["sensitivity"][0], "eigenvalues", "eigenvectors", "names")
        matrix = found["eigenvectors"].T @ np.diag(found["eigenvalues"]) @ found["eigenvectors"]
        steep = dict(zip(found["names"], np.diag(matrix), strict=True))
        numbers = ", ".join(f"{name} {steep[name]:.0f}" for name in (one, other))
        numbers = f"mean squared slope of the log posterior by prior s.d.: {numbers}"
        ratio = steep[one] / steep[other]
        if not results.jointly_calibrated(one, other) or 1 / STEEPER < ratio < STEEPER:
            return None, numbers
        return bool(ratio > 1), numbers

    return decide


def constants_worst(*parameters: str) -> Decide:
    """Whether of each regression the constant shrinks least, its maps taken as the paper's code takes them.

    With maps m = mean + sd z, w = c + a m + b g is (c + a mean_m + b mean_g) + a sd_m z_m + b sd_g z_g.
    """

    def decide(results: Results) -> Decision:
        worst, numbers = [], []
        for parameter in parameters:
            names = [f"{parameter}.{term}" for term in ("constant", *RAW_MAPS)]
            after, before = (raw_coefficients(draws).var(axis=0) for draws in results.samples(*names))
            shrinkage = 1 - after / before
            worst.append(int(np.argmin(shrinkage)) == 0)
            numbers.append(f"{parameter} " + "/".join(f"{value:.2f}" for value in shrinkage))
        told = results.jointly_calibrated(*(f"{parameter}.constant" for parameter in parameters))
        return (all(worst) if told else None), f"shrinkage of constant/myelin/gradient: {', '.join(numbers)}"

    return decide


def raw_coefficients(draws: np.ndarray) -> np.ndarray:
    """Constant, myelin and gradient (n, 3) on the paper's maps, from those on z-scored maps."""
    means, spreads = np.array(list(RAW_MAPS.values())).T
    slopes = draws[:, 1:] / spreads
    return np.column_stack([draws[:, 0] - slopes @ means, slopes])


def few_suffice(parameter: str, few: int) -> Decide:
    """Whether from `few` simulations the error is hardly above that from the most, with intervals that hold."""

    def decide(results: Results) -> Decision:
        found = results.learning(parameter, few)
        if found is None:
            return None, NO_CURVE
        curve, at = found
        error, inside, best, most = (
            curve["rmse"][at],
            curve["coverage_90"][at],
            curve["rmse"][-1],
            curve["n_simulations"][-1],
        )
        numbers = f"error {error:.2f} prior s.d. from {few}, {best:.2f} from {most}; 90 % intervals hold {inside:.0%}"
        if results.diagnostics["n_test"] < ENOUGH:
            return None, numbers
        return bool(error <= (1 + CLOSE) * best and inside >= 0.85), numbers

    return decide


def recovered_from(few: int, parameter: str, wanted: bool = True) -> Decide:
    """Whether an estimator that learnt from `few` simulations recovers a parameter, or (`wanted` False) does not."""

    def decide(results: Results) -> Decision:
        found = results.learning(parameter, few)
        if found is None:
            return None, NO_CURVE
        curve, at = found
        shrinkage, nat, inside = (float(curve[key][at]) for key in ("shrinkage", "information", "coverage_90"))
        numbers = f"shrinkage {shrinkage:.2f}, {nat:.2f} nat, from {few}; 90 % intervals hold {inside:.0%}"
        answer = recovery(shrinkage, nat)
        if results.diagnostics["n_test"] < ENOUGH or not 0.85 <= inside <= 0.95 or answer is None:
            return None, numbers
        return answer == wanted, numbers

    return decide


def robust(parameter: str, noise: str, level: float) -> Decide:
    """Whether a parameter is recovered from enough held-out simulations with noise up to `level`."""

    def decide(results: Results) -> Decision:
        found = read(results.paths["calibration"], "names", "theta", "shrinkage", "information")
        column, other = (list(found["names"]).index(name) for name in (parameter, noise))
        low = found["theta"][:, other] <= level
        below, above = (float(np.median(found["shrinkage"][part, column])) for part in (low, ~low))
        nat = float(np.median(found["information"][low, column]))
        numbers = f"shrinkage {below:.2f}, {nat:.2f} nat, up to {noise} {level:g}, shrinkage {above:.2f} above"
        if not results.calibrated(parameter) or low.sum() < ENOUGH:
            return None, numbers
        return recovery(below, nat), numbers

    return decide


def faster(slow: str, fast: str, low: float, high: float) -> Decide:
    """Whether training one estimator takes `low` to `high` times as long as another on the same simulations."""

    def decide(results: Results) -> Decision:
        times = results.baselines("seconds", slow, fast)
        if not times:
            return None, NOT_COMPARED
        ratio = times[0] / times[1]
        return bool(low <= ratio <= high), f"{ratio:.1f} times: {fast} {times[1]:.0f} s, {slow} {times[0]:.0f} s"

    return decide


def likelier(one: str, other: str) -> Decide:
    """Whether one estimator gives held-out parameters a higher log probability than another."""

    def decide(results: Results) -> Decision:
        gains = results.baselines("log_prob", one, other)
        if not gains:
            return None, NOT_COMPARED
        numbers = f"{one} {gains[0]:.2f}, {other} {gains[1]:.2f} nat above the prior"
        return (bool(gains[0] > gains[1]) if results.diagnostics["n_test"] >= ENOUGH else None), numbers

    return decide


def better_for_modes(one: str, other: str, parameter: str) -> Decide:
    """As `likelier`, where some posterior of a parameter, of the first person, has several modes; else undecided."""

    def decide(results: Results) -> Decision:
        answer, numbers = likelier(one, other)(results)
        found = read(results.paths["samples"][0], "theta", "names")
        columns = [k for k, name in enumerate(found["names"]) if name.partition("[")[0] == parameter]
        several = sum(count_modes(found["theta"][:, k]) > 1 for k in columns)
        modes = f"{several} of {len(columns)} posteriors of {parameter} have several modes"
        return (answer if several else None), f"{numbers}; {modes}"

    return decide


def count_modes(draws: np.ndarray) -> int:
    """Modes of the density of draws (n,), by a Gaussian kernel: peaks that stand out by `PEAK` of the highest."""
    at = np.linspace(draws.min(), draws.max(), 200)
    density = gaussian_kde(draws[:2000])(at)
    padded = np.concatenate([[0.0], density, [0.0]])  # a peak at the end of the prior is one
    return len(find_peaks(padded, prominence=PEAK * density.max())[0])


def only_product(one: str, other: str) -> Decide:
    """Whether of two positive parameters the product is recovered and neither alone, for the first person."""

    def decide(results: Results) -> Decision:
        after, before = (np.log(draws) for draws in results.samples(one, other))
        rho = float(np.corrcoef(after, rowvar=False)[0, 1])
        product = float(1 - after.sum(axis=1).var() / before.sum(axis=1).var())
        alone = 1 - after.var(axis=0) / before.var(axis=0)
        numbers = f"correlation of logarithms {rho:.2f}; shrinkage of the product's {product:.2f}, "
        numbers += f"{one} {alone[0]:.2f}, {other} {alone[1]:.2f}"
        return (bool(product >= RECOVERED > alone.max()) if results.jointly_calibrated(one, other) else None), numbers

    return decide
