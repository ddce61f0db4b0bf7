"""Ways to decide a claim of the paper by the result files of a case study: confirmed, refuted, or undecided."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import find_peaks
from scipy.special import ndtri
from scipy.stats import gaussian_kde

from vbiflow.case_results import ENOUGH, Results
from vbiflow.diagnostic_options import GOOD, THRESHOLDS
from vbiflow.diagnostics.normal_scores import normal_scores
from vbiflow.io import read

NOT_COMPARED, NO_CURVE = "not compared at this scale", "no learning curve at this scale"
RECOVERED, UNTOLD = 0.5, 0.1
"""Shrinkage from which a parameter counts as recovered, and up to which it may not be told by the features."""
LEAST = THRESHOLDS["information"]
"""Median information [nat] below which it is not told: two modes shrink nothing, and tell much."""
CLOSE = 0.1
"""Largest distance from a correlation that the paper prints or of a truth from a zone's value, and tolerated excess of
an error, as a share of it."""
WIDER = 1.1
"""How many times as wide as in another study posteriors must be for a parameter to be recovered worse."""
SURE = 2.0
"""Standard errors within which of its limit a number decides nothing."""
COVERED = 0.85, 0.95
"""Shares of truths between which 90 % intervals hold."""
RAW_MAPS = {"myelin": (1.315, 0.141), "gradient": (0.777, 3.19)}
"""Mean and standard deviation over regions of the maps of the paper's code, whose z-scores the study takes."""
STEEPER = 2.0
"""How many times as steep along one parameter as along another a posterior must be: two estimators that learnt from
the same simulations of the Stuart-Landau study differ by 1.6 either way."""
TIMED = 0.1
"""By how much two trainings on the same simulations may differ in time, as a share of it."""
WHOLE = 0.995
"""Share of regions in their zone that rounds to the 100 % of the paper."""
PEAK = 0.1
"""Least height of a mode above the valley beside it, as a share of the highest."""

Decision = tuple[bool | None, str]
"""Whether the results bear a claim out, None if they do not decide, and the numbers that say so."""

Decide = Callable[[Results], Decision]
"""A way to decide: made for some parameters, it reads the results of a study."""


def recovery(shrinkage: float, information: float) -> bool | None:
    """Whether a parameter is recovered, True, or nothing is told of it, False; None between."""
    if shrinkage >= RECOVERED:
        return True
    return False if shrinkage <= UNTOLD and information < LEAST else None


def exceeds(value: float, limit: float, error: float) -> bool | None:
    """Whether a value lies above a limit; None within `SURE` standard errors of it."""
    return None if abs(value - limit) < SURE * error else bool(value > limit)


def all_of(*answers: bool | None) -> bool | None:
    """Whether all are true; None where none is false and some are undecided."""
    return False if False in answers else None if None in answers else True


def share_error(share: float, n: int) -> float:
    """Standard error of a share of n."""
    return float(np.sqrt(share * (1 - share) / n))


def mean_error(values: np.ndarray) -> float:
    """Standard error of the mean of values (n,)."""
    return float(np.std(values) / np.sqrt(len(values)))


def recovered(parameter: str, wanted: bool = True) -> Decide:
    """Whether a parameter is recovered in every region, or (`wanted` False) is told in none.

    Not told is undecided where a regression finds in the features what the estimator missed.
    """

    def decide(results: Results) -> Decision:
        shrinkage, nat = results.of(parameter, "shrinkage"), float(np.median(results.of(parameter, "information")))
        explained, words = results.explained(parameter), results.of(parameter, "verdict")
        answers = {recovery(float(np.min(shrinkage)), nat), recovery(float(np.max(shrinkage)), nat)}
        answer = answers.pop() if len(answers) == 1 else None
        good = float(np.mean([word in GOOD for word in words]))
        of_regions = f" ({np.min(shrinkage):.2f} to {np.max(shrinkage):.2f})" if len(words) > 1 else ""
        numbers = f"shrinkage {np.median(shrinkage):.2f}{of_regions}, {nat:.2f} nat, "
        numbers += f"a regression explains {explained:.0%}; "
        if len(words) > 1:
            numbers += f"{round(good * len(words))} of {len(words)} calibrated"
        else:
            numbers += f"{words[0]}, ranks of truths off by {results.of(parameter, 'shift')[0]:+.1f} s.e."
        missed = answer is False and explained > UNTOLD
        if not results.calibrated(parameter) or answer is None or missed:
            return None, numbers
        return answer == wanted, numbers

    return decide


def classified(parameter: str, *zones: float) -> Decide:
    """Whether posterior means of held-out regions with truths near the zones' values lie in the zones of these.

    Near is within `CLOSE`; of each zone nearly all must lie there. A zone is what is nearer to its value, in rising
    order, than to the next one's. Regions of one simulation are not taken as independent.
    """
    limits = np.add(zones[1:], zones[:-1]) / 2

    def decide(results: Results) -> Decision:
        truth, mean = (results.held_out(key, parameter) for key in ("theta", "mean"))
        right = np.digitize(truth, limits) == np.digitize(mean, limits)
        of_zone = np.abs(truth[..., None] - zones) <= CLOSE
        near = of_zone.any(axis=-1)
        if not of_zone.any(axis=(0, 1)).all():
            return None, f"of a zone no held-out region has a truth within {CLOSE:g} of its value"
        shares = [share_of_regions(right, of_zone[..., k]) for k in range(len(zones))]
        by_zone = ", ".join(
            f"{zone:g} {share:.1%} (s.e. {error:.1%})" for zone, (share, error) in zip(zones, shares, strict=True)
        )
        numbers = f"{right[near].mean():.2%} of {near.sum()} held-out regions with truths within {CLOSE:g} of "
        numbers += f"the zones' values in their zone by the posterior mean ({by_zone}), {right.mean():.1%} of all "
        numbers += f"{right.size}; limits {', '.join(f'{limit:g}' for limit in limits)}"
        answer = all_of(*(exceeds(share, WHOLE, error) for share, error in shares))
        return (answer if results.calibrated(parameter) else None), numbers

    return decide


def share_of_regions(right: np.ndarray, some: np.ndarray) -> tuple[float, float]:
    """Share of `some` regions of simulations (n, n_nodes) that are `right`, and its standard error over simulations."""
    each = some.sum(axis=1)
    share = float(right[some].mean())
    return share, float(np.sqrt((((right & some).sum(axis=1) - share * each) ** 2).sum()) / each.sum())


def degraded(parameter: str, than: str) -> Decide:
    """Whether a parameter's posteriors, the median over its regions, are wider than in the study `than`."""

    def decide(results: Results) -> Decision:
        if than not in results.others:
            return None, f"{than} is not among the studies"
        both = [results, results.others[than]]
        here, there = (1 - float(np.median(one.of(parameter, "shrinkage"))) for one in both)
        ratio = float(np.sqrt(here / there))
        numbers = f"posteriors {ratio:.2f} times as wide as in {than}, limit {WIDER:g} "
        numbers += f"(1 - shrinkage {here:.2g}, there {there:.2g})"
        return (bool(ratio > WIDER) if all(one.calibrated(parameter) for one in both) else None), numbers

    return decide


def correlated(one: str, other: str, printed: float) -> Decide:
    """Whether two parameters have the correlation that the paper prints, over held-out simulations and in the person's.

    Over held-out simulations it is that of the normal scores of the truths' ranks, which of calibrated posteriors is
    the mean correlation of their samples' normal scores, whatever their tails; that is also taken of the person's.
    Undecided where the two disagree, and where neither is the printed one: posteriors differ from one truth to another,
    and the paper does not print its own.
    """

    def decide(results: Results) -> Decision:
        share = (results.held_out("ranks", one, other) + 0.5) / (results.n_samples + 1)
        rho = float(np.corrcoef(ndtri(share), rowvar=False)[0, 1])
        error = (1 - rho**2) / np.sqrt(len(share))
        samples, _ = results.samples(one, other)
        person = float(np.corrcoef(normal_scores(samples, samples), rowvar=False)[0, 1])
        numbers = f"correlation {rho:.2f} (s.e. {error:.2f}) over held-out simulations, "
        numbers += f"{person:.2f} of one simulated person"
        close = exceeds(CLOSE, abs(rho - printed), error) and abs(person - printed) <= CLOSE
        return (True if close and results.jointly_calibrated(one, other) else None), numbers

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
        numbers = f"mean squared slope of one simulated person's log posterior by prior s.d.: {numbers}"
        ratio = steep[one] / steep[other]
        if not results.jointly_calibrated(one, other) or 1 / STEEPER < ratio < STEEPER:
            return None, numbers
        return bool(ratio > 1), numbers

    return decide


def constants_worst(*parameters: str) -> Decide:
    """Whether over held-out simulations of each regression the constant is told least, on maps of the paper's code.

    With maps m = mean + sd z, w = c + a m + b g is (c + a mean_m + b mean_g) + a sd_m z_m + b sd_g z_g. Shrinkage is
    one minus the squared error of posterior means over the prior's variance, as it is of calibrated posteriors.
    """

    def decide(results: Results) -> Decision:
        worst, numbers = [], []
        for parameter in parameters:
            names = [f"{parameter}.{term}" for term in ("constant", *RAW_MAPS)]
            truth, mean = (raw_coefficients(results.held_out(key, *names)) for key in ("theta", "mean"))
            lost = (mean - truth) ** 2 / raw_coefficients(results.samples(*names)[1]).var(axis=0)
            more = lost[:, 0] - lost[:, 1 + np.argmax(lost[:, 1:].mean(axis=0))]
            worst.append(exceeds(float(more.mean()), 0, mean_error(more)))
            numbers.append(f"{parameter} " + "/".join(f"{1 - value:.2f}" for value in lost.mean(axis=0)))
            numbers[-1] += f" (constant less the worst slope {-more.mean():.2f}, s.e. {mean_error(more):.2f})"
        told = results.jointly_calibrated(*(f"{parameter}.constant" for parameter in parameters))
        words = f"shrinkage of constant/myelin/gradient over held-out simulations: {', '.join(numbers)}"
        return (all_of(*worst) if told else None), words

    return decide


def raw_coefficients(draws: np.ndarray) -> np.ndarray:
    """Constant, myelin and gradient (n, 3) on the paper's maps, from those on z-scored maps."""
    means, spreads = np.array(list(RAW_MAPS.values())).T
    slopes = draws[:, 1:] / spreads
    return np.column_stack([draws[:, 0] - slopes @ means, slopes])


def few_suffice(parameter: str, few: int) -> Decide:
    """Whether from `few` simulations the error is hardly above that from the most, with intervals that hold.

    The standard error of the ratio of two root mean squares of n errors takes them as independent.
    """

    def decide(results: Results) -> Decision:
        found = results.learning(parameter, few)
        if found is None:
            return None, NO_CURVE
        curve, at = found
        n, inside = results.diagnostics["n_test"], float(curve["coverage_90"][at])
        ratio = float(curve["rmse"][at] / curve["rmse"][-1])
        error, missed = ratio / np.sqrt(n), share_error(inside, n)
        numbers = f"error {curve['rmse'][at]:.2g} prior s.d. from {few}, {curve['rmse'][-1]:.2g} from "
        numbers += f"{curve['n_simulations'][-1]}, {ratio:.2f} times (s.e. {error:.3f}, limit {1 + CLOSE:g}); "
        numbers += f"90 % intervals hold {inside:.1%} (s.e. {missed:.1%}, at least {COVERED[0]:.0%}); one training each"
        if n < ENOUGH:
            return None, numbers
        return all_of(exceeds(1 + CLOSE, ratio, error), exceeds(inside, COVERED[0], missed)), numbers

    return decide


def recovered_from(few: int, parameter: str, wanted: bool = True) -> Decide:
    """Whether an estimator that learnt from `few` simulations recovers a parameter, or (`wanted` False) does not."""

    def decide(results: Results) -> Decision:
        found = results.learning(parameter, few)
        if found is None:
            return None, NO_CURVE
        curve, at = found
        shrinkage, nat, inside = (float(curve[key][at]) for key in ("shrinkage", "information", "coverage_90"))
        n, (low, high) = results.diagnostics["n_test"], COVERED
        error = share_error(inside, n)
        numbers = f"shrinkage {shrinkage:.2f}, {nat:.2f} nat, from {few}; 90 % intervals hold {inside:.1%} "
        numbers += f"(s.e. {error:.1%}, {low:.0%} to {high:.0%}); one training"
        answer, holds = recovery(shrinkage, nat), all_of(exceeds(inside, low, error), exceeds(high, inside, error))
        return (answer == wanted if n >= ENOUGH and holds and answer is not None else None), numbers

    return decide


def robust(parameter: str, noise: str, level: float) -> Decide:
    """Whether a parameter is recovered from enough held-out simulations with noise up to `level`.

    By an estimator that has learnt from simulations with noise, and infers its level too.
    """

    def decide(results: Results) -> Decision:
        found = read(results.paths["calibration"], "names", "theta", "shrinkage", "information")
        column, other = (list(found["names"]).index(name) for name in (parameter, noise))
        low = found["theta"][:, other] <= level
        below, beyond = (float(np.median(found["shrinkage"][part, column])) for part in (low, ~low))
        nat = float(np.median(found["information"][low, column]))
        numbers = f"shrinkage {below:.2f}, {nat:.2f} nat, up to {noise} {level:g}, shrinkage {beyond:.2f} above"
        if not results.calibrated(parameter) or low.sum() < ENOUGH:
            return None, numbers
        return recovery(below, nat), numbers

    return decide


def faster(slow: str, fast: str, low: float, high: float) -> Decide:
    """Whether training one estimator takes `low` to `high` times as long as another on the same simulations.

    Undecided near a limit: each was trained once.
    """

    def decide(results: Results) -> Decision:
        times = results.baselines("seconds", slow, fast)
        if not times:
            return None, NOT_COMPARED
        ratio = times[0] / times[1]
        numbers = f"{ratio:.1f} times: {fast} {times[1]:.0f} s, {slow} {times[0]:.0f} s, one training each, "
        numbers += f"times within {TIMED:.0%}"
        error = TIMED * ratio / SURE
        return all_of(exceeds(ratio, low, error), exceeds(high, ratio, error)), numbers

    return decide


def likelier(one: str, other: str) -> Decide:
    """Whether one estimator gives held-out parameters a higher log probability than another, paired by simulation."""

    def decide(results: Results) -> Decision:
        gains, errors = results.baselines("log_prob", one, other), results.baselines("difference_error", one)
        if not gains:
            return None, NOT_COMPARED
        less = gains[0] - gains[1]
        numbers = f"{one} {gains[0]:.2f}, {other} {gains[1]:.2f} nat above the prior, difference {less:.2f}"
        if not errors or errors[0] is None:
            return None, f"{numbers}, whose standard error was not measured"
        answer = exceeds(less, 0, errors[0][other])
        numbers += f" (s.e. {errors[0][other]:.2f})"
        return (answer if results.diagnostics["n_test"] >= ENOUGH else None), numbers

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
    """Whether of two positive parameters the product is recovered and neither alone, over held-out simulations.

    Alone is what is recovered and told better than the exact product would, under the prior. Shrinkage of the product's
    logarithm is at least one minus the squared error of that of the posterior means.
    """

    def decide(results: Results) -> Decision:
        truth, mean, shrinkage = (results.held_out(key, one, other) for key in ("theta", "mean", "shrinkage"))
        samples, drawn = results.samples(one, other)
        lost = np.log(mean / truth).sum(axis=1) ** 2 / np.log(drawn).sum(axis=1).var()
        alike = drawn[np.argsort(drawn.prod(axis=1))].reshape(50, -1, 2)
        limits = np.maximum(RECOVERED, 1 - alike.var(axis=1).mean(axis=0) / drawn.var(axis=0))
        product, error = float(1 - lost.mean()), mean_error(lost)
        numbers = f"shrinkage of the product's logarithm at least {product:.2f} (s.e. {error:.2f})"
        answers = [exceeds(product, RECOVERED, error)]
        for name, column, limit in zip((one, other), shrinkage.T, limits, strict=True):
            numbers += f", of {name} {column.mean():.2f} ({mean_error(column):.2f}, limit {limit:.2f})"
            answers.append(exceeds(limit, column.mean(), mean_error(column)))
        rho = float(np.corrcoef(np.log(samples), rowvar=False)[0, 1])
        numbers += f"; logarithms correlated by {rho:.2f} in one simulated person's posterior"
        return (all_of(*answers) if results.jointly_calibrated(one, other) else None), numbers

    return decide
