"""Many features to few network inputs that keep what single features, their sums and their components tell of z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vbiflow.inference.scaling import compress
from vbiflow.inference.screening import dependence, parameter_functions, rank_cosines, unexplained

RATE = 0.05
"""Share of the features found to depend on the parameters that may not."""
LARGEST = 300
FEWEST = 20
"""Single features that enter without being significant, where simulations are so few that tests miss weak ones."""
FEW_ROWS = 1000
ROWS_AN_INPUT = 50
"""Training simulations for each single feature or component that enters as it is."""
GAIN = 0.01
"""Share of the unexplained variance by which a sum of all features must beat that of the dependent ones."""
PENALTIES = np.geomspace(1e-4, 1e3, 22)


@dataclass(frozen=True)
class Reduction:
    """u (n, k) to v = (u - mean) @ components / scale (n, c), compressed; u if `components` (k, c) has no columns.

    The columns are, in this order: regressions of z and z^2 on the features; single features that tell more of z than
    those; principal components that tell more than both. Where the features behind the regressions are as few, they
    enter themselves. A feature that is noise enters none: a network with hundreds of such inputs fits itself to them.
    Along a component that hardly varies in a few simulations of heavy-tailed features others lie tens of standard
    deviations out; `compress` keeps these within what a network has seen.
    """

    mean: np.ndarray
    components: np.ndarray
    scale: np.ndarray

    @classmethod
    def identity(cls, n_inputs: int) -> Reduction:
        """No reduction."""
        return cls(np.zeros(n_inputs), np.zeros((n_inputs, 0)), np.zeros(0))

    @classmethod
    def fit(cls, u: np.ndarray, z: np.ndarray, n_train: int) -> tuple[Reduction, np.ndarray]:
        """Directions for inputs u (n, k) and parameters z (n, p), and the network inputs (n, c) of these very rows.

        In those the regressions leave out the row itself: what they were fitted to would look too informative.
        """
        found = Search(np.asarray(u, float), np.asarray(z, float), n_train)
        components, inputs = found.directions()
        scale = inputs.std(axis=0)
        return cls(found.mean, components, scale), compress(inputs / scale).astype(np.float32)

    @property
    def n_outputs(self) -> int:
        """Number of network inputs."""
        return self.components.shape[1] or len(self.mean)

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """Network inputs (n, c) float32."""
        if not self.components.shape[1]:
            return u
        return compress((u - self.mean) @ self.components / self.scale).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        return {name: getattr(self, name) for name in ("mean", "components", "scale")}


class Search:
    """The search for the directions of a `Reduction`, on u (n, k) and z (n, p)."""

    def __init__(self, u: np.ndarray, z: np.ndarray, n_train: int) -> None:
        self.mean = u.mean(axis=0)
        self.u, self.n, self.k = u - self.mean, *u.shape
        self.limit = max(FEWEST, n_train // ROWS_AN_INPUT)
        self.fewest = max(1, min(FEWEST, FEWEST * FEW_ROWS // self.n))
        self.targets = np.concatenate([z - z.mean(axis=0), (z**2 - (z**2).mean(axis=0)) / 2**0.5], axis=1)
        self.functions, self.cosines = parameter_functions(z), rank_cosines(u)
        self.spectrum = Spectrum.of(self.u)
        self.leading = self.spectrum.directions[:, : min(self.limit, LARGEST)]
        self.leading_cosines = rank_cosines(self.u @ self.leading)

    def directions(self) -> tuple[np.ndarray, np.ndarray]:
        """Components (k, c) and inputs (n, c) of the rows, the regressions' by leaving each row out.

        Where the features behind the regressions are no more than the inputs would be, they enter themselves: they hold
        all that the regressions do, without the errors of many coefficients. Regressions join them if half as many.
        """
        p = dependence(self.cosines, self.functions)
        strongest = np.argsort(p, kind="stable")[: self.fewest]
        means, predicted, dependent, behind = self.regressions(np.flatnonzero(p <= RATE))
        singles = self.singles(dependent, strongest, unexplained(self.functions, predicted))
        inputs = np.concatenate([predicted, self.u @ singles], axis=1)
        leading = self.dependent_leading(unexplained(self.functions, inputs))
        missing = [k for k in strongest if not behind[k].any()]
        behind = np.concatenate([behind, self.axes(np.array(missing, int))], axis=1)
        if behind.shape[1] <= inputs.shape[1] + leading.shape[1]:
            if 2 * means.shape[1] > behind.shape[1]:
                means, predicted = means[:, :0], predicted[:, :0]
            return np.concatenate([means, behind], axis=1), np.concatenate([predicted, self.u @ behind], axis=1)
        components = np.concatenate([means, singles, leading], axis=1)
        return components, np.concatenate([inputs, self.u @ leading], axis=1)

    def dependent_leading(self, functions: list[np.ndarray]) -> np.ndarray:
        """Principal components (k, c) of all features that depend on the functions of the parameters."""
        return self.leading[:, dependence(self.leading_cosines, functions) <= RATE]

    def axes(self, columns: np.ndarray) -> np.ndarray:
        """Directions (k, c) of single features."""
        directions = np.zeros((self.k, len(columns)))
        directions[columns, np.arange(len(columns))] = 1.0
        return directions

    def dependent(self, functions: list[np.ndarray]) -> np.ndarray:
        """Features that depend on the functions of the parameters."""
        return np.flatnonzero(dependence(self.cosines, functions) <= RATE)

    def regressions(self, dependent: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients (k, c) and leave-one-out predictions (n, c) of z and z^2, and what they are made of.

        That is, the features that depend on the parameters, and the directions (k, m) of all that is regressed on. Some
        features tell of z only beside others, as a shared noise that has to be subtracted: they depend on what a first
        regression leaves. A noise that many share shows in their components, in none of them alone. A target that all
        features together explain better is regressed on all.
        """
        first = self.regression(dependent, self.leading[:, :0])
        left = unexplained(self.functions, first.predicted[:, first.tells(self.n)])
        joined = np.union1d(dependent, self.dependent(left))
        shared = self.shared_by_others(joined, left)
        chosen = self.regression(joined, shared) if len(joined) > len(dependent) or shared.size else first
        whole = Regression.fit(self.spectrum, self.targets)
        better = 1 - whole.explained < (1 - GAIN) * (1 - chosen.explained)
        chosen = chosen.replaced(whole, better)
        kept = chosen.tells(self.n)
        behind = np.eye(self.k) if (better & kept).any() else np.concatenate([self.axes(joined), shared], axis=1)
        return chosen.coefficients[:, kept], chosen.predicted[:, kept], joined, behind

    def shared_by_others(self, columns: np.ndarray, functions: list[np.ndarray]) -> np.ndarray:
        """Principal components (k, c), of all features but those in `columns`, that depend on the functions."""
        others = self.leading.copy()
        others[columns] = 0.0
        return others[:, dependence(rank_cosines(self.u @ others), functions) <= RATE]

    def regression(self, columns: np.ndarray, components: np.ndarray) -> Regression:
        """Regression of the targets on some features and components (k, c), with a coefficient for each feature."""
        design = np.concatenate([self.u[:, columns], self.u @ components], axis=1)
        found = Regression.fit(Spectrum.of(design), self.targets)
        coefficients = components @ found.coefficients[len(columns) :]
        coefficients[columns] += found.coefficients[: len(columns)]
        return Regression(coefficients, found.predicted, found.explained)

    def singles(self, dependent: np.ndarray, strongest: np.ndarray, rest: list[np.ndarray]) -> np.ndarray:
        """Directions (k, c) of features that tell more than the regressions; of too many, their components that do.

        If there are fewer than the `strongest` of all features, these join them.
        """
        kept = dependent[dependence(self.cosines[:, :, dependent], rest) <= RATE]
        if len(kept) < len(strongest):
            kept = np.union1d(kept, strongest)
        directions = self.axes(kept)
        if len(kept) <= self.limit:
            return directions
        directions = directions @ Spectrum.of(self.u[:, kept]).directions[:, :LARGEST]
        p = dependence(rank_cosines(self.u @ directions), rest)
        best = np.argsort(p, kind="stable")[: self.limit]
        return directions[:, best[p[best] <= RATE]]


@dataclass(frozen=True)
class Spectrum:
    """Singular values (r,) squared, left vectors (n, r) and principal directions (k, r) of centred u (n, k)."""

    values: np.ndarray
    left: np.ndarray
    directions: np.ndarray

    @classmethod
    def of(cls, u: np.ndarray) -> Spectrum:
        """Decompose; what is within rounding of zero is left out. The largest entry of a direction is positive."""
        wide = len(u) < u.shape[1]
        values, vectors = np.linalg.eigh(u @ u.T if wide else u.T @ u)
        order = np.argsort(-values)
        order = order[values[order] > 1e-9 * values.max(initial=0.0)]
        values, vectors = values[order], vectors[:, order]
        other = (u.T if wide else u) @ vectors / np.sqrt(values)
        left, directions = (vectors, other) if wide else (other, vectors)
        sign = np.where(directions.max(axis=0, initial=0.0) >= -directions.min(axis=0, initial=0.0), 1.0, -1.0)
        return cls(values, left * sign, directions * sign)


@dataclass(frozen=True)
class Regression:
    """Ridge regression: coefficients (k, t), leave-one-out predictions (n, t), share of variance these explain (t,)."""

    coefficients: np.ndarray
    predicted: np.ndarray
    explained: np.ndarray

    def replaced(self, other: Regression, which: np.ndarray) -> Regression:
        """With the targets `which` (t,) taken from another regression."""
        mine = (self.coefficients, self.predicted, self.explained)
        others = (other.coefficients, other.predicted, other.explained)
        return Regression(*(np.where(which, b, a) for a, b in zip(mine, others, strict=True)))

    def tells(self, n: int) -> np.ndarray:
        """Which targets (t,) it explains beyond the chance of n rows."""
        return self.explained > max(0.01, 16 / n)

    def informative(self, n: int) -> Regression:
        """With coefficients and predictions of zero where it explains no more than the chance of n rows."""
        told = self.tells(n)
        return Regression(np.where(told, self.coefficients, 0.0), np.where(told, self.predicted, 0.0), self.explained)

    @classmethod
    def fit(cls, spectrum: Spectrum, targets: np.ndarray) -> Regression:
        """Regress targets (n, t), each with the penalty of its smallest leave-one-out error.

        The prediction without a row is (y_i - h_i t_i) / (1 - h_i), with y_i the one with it and h_i the leverage.
        """
        n, projected = len(targets), spectrum.left.T @ targets
        best = np.full(targets.shape[1], -np.inf)
        predicted, penalty_of = np.zeros_like(targets), np.zeros(targets.shape[1])
        for penalty in n * PENALTIES:
            shrink = spectrum.values / (spectrum.values + penalty)
            leverage = (spectrum.left**2 @ shrink + 1 / n)[:, None]
            alone = spectrum.left @ (shrink[:, None] * projected) - leverage * targets
            alone /= np.maximum(1 - leverage, 1e-3)
            explained = 1 - ((targets - alone) ** 2).mean(axis=0) / np.maximum(targets.var(axis=0), 1e-300)
            better = explained > best
            best[better], predicted[:, better], penalty_of[better] = explained[better], alone[:, better], penalty
        inner = projected * np.sqrt(spectrum.values)[:, None] / (spectrum.values[:, None] + penalty_of)
        return cls(spectrum.directions @ inner, predicted, best)
