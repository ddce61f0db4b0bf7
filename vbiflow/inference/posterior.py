"""The posterior q(theta | x): samples, density, mode; stored as weights and configuration."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from vbiflow.inference.conditional_gaussian import ConditionalGaussian, Destandardised
from vbiflow.inference.estimators import ESTIMATORS, new_network
from vbiflow.inference.inputs import Condenser
from vbiflow.inference.optimiser import Adam
from vbiflow.inference.reduction import Reduction
from vbiflow.inference.scaling import Scaling
from vbiflow.io import sealed
from vbiflow.prior import Prior
from vbiflow.seal import verify
from vbiflow.streams import random_generator

FORMAT = 5
PURPOSE = 0x706F7374
"""Tells these random numbers, which belong to an observation each, from the others of a study's seed."""
EDGE = 8.0
BATCH, NUMBERS = 1 << 18, 1 << 22
"""Samples, and numbers in them, that are drawn at a time at most."""


class Posterior:
    """Mixture of the trained networks, in equal parts, over theta inside the prior's support.

    Networks describe z, which is standard normal under the prior, theta = F^-1(Phi(z)); hence

    ``log q(theta | x) = log q(z | x) + log p(theta) - log N(z; 0, 1)``

    and sampling needs no rejection.
    """

    def __init__(
        self,
        prior: Prior,
        features: Sequence[str],
        scaling: Scaling,
        condenser: Condenser,
        networks: Sequence[nn.Module],
        options: Mapping[str, Any],
    ) -> None:
        self.prior, self.features, self.scaling, self.condenser = prior, tuple(features), scaling, condenser
        self.networks, self.options = [network.eval() for network in networks], dict(options)
        self.estimator = ESTIMATORS[options["estimator"]["name"]]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the inferred parameters."""
        return self.prior.names

    def inputs(self, x: np.ndarray, names: Sequence[str] | None = None) -> np.ndarray:
        """Network inputs (m, k) of features x (m, f) or (f,).

        Raises
        ------
        ValueError
            If the features are not those of the training, or one is missing that never was missing there.
        """
        x = np.atleast_2d(np.asarray(x, float))
        if names is not None and tuple(names) != self.features:
            raise ValueError(f"the features of x_o are not those the estimator learned: {self._difference(names)}")
        if x.ndim != 2 or x.shape[1] != len(self.features):
            raise ValueError(
                f"x_o has {x.shape[-1]} features, the estimator learned from {len(self.features)} "
                f"({', '.join(self.features[:3])}, ...); compute it with the study's feature settings"
            )
        lost = self.scaling.unexpected(x)
        if lost.any():
            listed = ", ".join(np.array(self.features)[lost][:5])
            raise ValueError(
                f"{int(lost.sum())} features ({listed}) are not finite, which every simulation that was learnt from had"
            )
        return self.condenser(self.scaling(x))

    def sample(self, x_o: np.ndarray, n: int, *, seed: int, names: Sequence[str] | None = None) -> np.ndarray:
        """Draw n samples theta (n, n_parameters) for one observation (f,)."""
        return self.sample_batch(np.atleast_2d(x_o), n, seed=seed, names=names)[0]

    def sample_batch(self, x: np.ndarray, n: int, *, seed: int, names: Sequence[str] | None = None) -> np.ndarray:
        """Draw n samples for each of m observations, (m, n, n_parameters); row j depends on seed, j and x[j] alone."""
        inputs = self.inputs(x, names)
        out = np.empty((len(inputs), n, len(self.parameters)))
        for rows, z in self.normal_samples(inputs, n, seed):
            out[rows] = self.prior.from_normal(z)
        return out

    @torch.no_grad()
    def normal_samples(self, inputs: np.ndarray, n: int, seed: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Samples of z (rows, n, n_parameters) for blocks of network inputs, with the slice of rows."""
        if n < 1:
            raise ValueError(f"the number of samples must be positive, found {n}")
        width = len(self.parameters) + 1
        block = max(1, min(BATCH, NUMBERS // width) // n)
        for start in range(0, len(inputs), block):
            rows = slice(start, min(start + block, len(inputs)))
            u = torch.from_numpy(inputs[rows])
            generators = [random_generator(seed, PURPOSE, row) for row in range(rows.start, rows.stop)]
            noise = torch.from_numpy(np.stack([g.standard_normal((n, width), np.float32) for g in generators]))
            members = np.stack([g.integers(len(self.networks), size=n) for g in generators])
            z = self._mix(noise, u, members).numpy().astype(float)
            if np.isnan(z).any():
                raise ValueError(
                    "the estimator gives samples that are not numbers; train again with lower learning_rate"
                )
            yield rows, np.clip(z, -EDGE, EDGE)

    def _mix(self, noise: Tensor, u: Tensor, members: np.ndarray) -> Tensor:
        """Samples (m, n, p), each by the network that `members` (m, n) names; a network gets its own noise alone."""
        z = torch.empty_like(noise[..., :-1])
        for k, network in enumerate(self.networks):
            own = torch.from_numpy(members == k)
            first = torch.argsort(~own, dim=1, stable=True)[:, : int(own.sum(dim=1).max())]  # as many in every row
            if first.shape[1]:
                rows = torch.arange(len(noise))[:, None]
                drawn, used = self.estimator.samples(network, noise[rows, first], u), own[rows, first]
                z[rows.expand_as(first)[used], first[used]] = drawn[used]
        regression = self.condenser.regression
        return regression.undo_standardise(z, u.unsqueeze(1)) if regression else z

    def log_prob(self, theta: np.ndarray, x_o: np.ndarray, *, names: Sequence[str] | None = None) -> np.ndarray:
        """log q(theta | x_o) (n,) for theta (n, n_parameters); x_o (f,), or (n, f) with one row for each theta."""
        theta = np.atleast_2d(np.asarray(theta, float))
        inputs = self.inputs(x_o, names)
        prior = self.prior.log_prob(theta)
        z = self.prior.to_normal(theta)
        with np.errstate(invalid="ignore"):
            density = self.normal_log_prob(z, inputs) + prior - stats.norm.logpdf(z).sum(axis=-1)
        return np.where(np.isfinite(prior), density, -np.inf)

    @torch.no_grad()
    def normal_log_prob(self, z: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """log q(z | x) (n,) for z (n, n_parameters) and network inputs (n, k) or (1, k)."""
        out = np.empty(len(z))
        for start in range(0, len(z), 1 << 14):
            part = torch.from_numpy(z[start : start + (1 << 14)].astype(np.float32))
            u = torch.from_numpy(inputs if len(inputs) == 1 else inputs[start : start + (1 << 14)])
            out[start : start + len(part)] = self._density(part, u.expand(len(part), -1)).double().numpy()
        return out

    def score(self, z: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """d log q(z | x) / dz (n, n_parameters) for z (n, n_parameters) and network inputs (1, k)."""
        at = torch.from_numpy(z.astype(np.float32)).requires_grad_()
        density = self._density(at, torch.from_numpy(inputs).expand(len(z), -1)).sum()
        return torch.autograd.grad(density, at)[0].double().numpy()

    def _density(self, z: Tensor, u: Tensor) -> Tensor:
        volume: Tensor | float = 0.0
        if self.condenser.regression:
            z, volume = self.condenser.regression.standardise(z, u)
        each = torch.stack([self.estimator.log_prob(network, z, u) for network in self.networks])
        return torch.logsumexp(each, 0) - np.log(len(self.networks)) + volume

    def map(self, x_o: np.ndarray, *, seed: int, n: int = 2000, names: Sequence[str] | None = None) -> np.ndarray:
        """The theta (n_parameters,) at the mode of q(z | x_o), by ascent from the best of n samples.

        The mode is taken where the prior is standard normal: in theta, the slightest misfit of the tails of q(z | x) to
        the prior's would put a spike on the edge of a bounded prior.
        """
        inputs = self.inputs(x_o, names)
        z = self.prior.to_normal(self.sample(x_o, n, seed=seed))
        start = z[np.argsort(self.normal_log_prob(z, inputs))[-5:]]
        u = torch.from_numpy(inputs).expand(len(start), -1)
        at = torch.from_numpy(start.astype(np.float32)).requires_grad_()
        optimiser = Adam([at], 0.02)
        for _ in range(100):
            (-self._density(at, u)).sum().backward()
            optimiser.step()
        candidates = np.concatenate([start, at.detach().double().numpy()])
        return self.prior.from_normal(candidates[np.argmax(self.normal_log_prob(candidates, inputs))])

    def to_sbi(self, x_o: np.ndarray) -> Any:
        """The posterior of z = Phi^-1(F(theta)) for one observation (f,) as sbi's own DirectPosterior, or an ensemble.

        Its samples become theta by ``prior.from_normal``.
        """
        from sbi.inference.posteriors import DirectPosterior, EnsemblePosterior

        n = len(self.parameters)
        standard = torch.distributions.Independent(torch.distributions.Normal(torch.zeros(n), torch.ones(n)), 1)
        regression = self.condenser.regression
        networks = [Destandardised(one, regression) for one in self.networks] if regression else self.networks
        each = [DirectPosterior(network, standard) for network in networks]
        whole = EnsemblePosterior(each) if len(each) > 1 else each[0]
        return whole.set_default_x(torch.from_numpy(self.inputs(x_o)))

    def save(self, path: str | Path, seed: int = -1) -> None:
        """Write weights and configuration, sealed with the study's seed; no live object is pickled."""
        config = {
            "format": FORMAT,
            "prior": self.prior.to_config(),
            "features": list(self.features),
            "options": self.options,
            "robust": self.scaling.robust,
        }
        state = {
            "networks": [network.state_dict() for network in self.networks],
            "scaling": tensors(self.scaling.state()),
            "reduction": tensors(self.condenser.reduction.state()),
            "regression": tensors(self.condenser.regression.state()) if self.condenser.regression else None,
        }
        content = io.BytesIO()  # torch.save would put the name of a file into it
        torch.save({"state": state, "config": config}, content)
        with sealed(path, seed) as part:
            part.write_bytes(content.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Posterior:
        """Read what `save` wrote, on any machine.

        Raises
        ------
        ValueError
            If the file is missing, damaged or of another format.
        """
        verify(path)
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            state, config, form = content["state"], content["config"], content["config"]["format"]
        except Exception as error:
            raise ValueError(f"{path}: not a whole posterior ({str(error).splitlines()[0]}); train again") from None
        if form != FORMAT:
            raise ValueError(f"{path}: posterior of format {form}, this vbiflow reads {FORMAT}; train again")
        prior = Prior.from_plain(config["prior"])
        scaling = Scaling(**arrays(state["scaling"]), robust=config["robust"])
        regression = state["regression"] and ConditionalGaussian.from_state(arrays(state["regression"]))
        condenser = Condenser(Reduction(**arrays(state["reduction"])), regression)
        networks = []
        for weights in state["networks"]:
            network = new_network(len(prior.names), condenser.n_outputs, config["options"])
            network.load_state_dict(weights)
            networks.append(network)
        return cls(prior, config["features"], scaling, condenser, networks, config["options"])

    def _difference(self, names: Sequence[str]) -> str:
        lacking = [name for name in self.features if name not in set(names)]
        extra = [name for name in names if name not in set(self.features)]
        if not lacking and not extra:
            return "they come in another order"
        return "; ".join(
            f"{what} {', '.join(group[:5])}{', ...' if len(group) > 5 else ''}"
            for what, group in (("lacking", lacking), ("unknown", extra))
            if group
        )


def tensors(state: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Arrays by name, as tensors."""
    return {name: torch.from_numpy(array) for name, array in state.items()}


def arrays(state: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Tensors by name, as arrays."""
    return {name: tensor.numpy() for name, tensor in state.items()}
