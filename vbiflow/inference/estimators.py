"""Density estimators q(z | x) by name, built by sbi, and how each turns noise into samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from sbi.neural_nets.net_builders import build_maf, build_mdn, build_nsf
from sbi.neural_nets.net_builders.vector_field_nets import build_vector_field_estimator
from torch import Tensor, nn

from vbiflow.inference.embeddings import EMBEDDINGS
from vbiflow.inference.flows import maf_density, maf_samples, nsf_density, nsf_samples
from vbiflow.inference.transport import flow_density, mdn_samples, neural_flow_samples, quiet


@dataclass(frozen=True)
class Estimator:
    """How to build a network, how noise becomes samples, and where it was published; options: `ESTIMATOR_OPTIONS`."""

    build: Callable[..., nn.Module]
    samples: Callable[[nn.Module, Tensor, Tensor], Tensor]
    log_prob: Callable[[nn.Module, Tensor, Tensor], Tensor]
    reference: str
    regression: Callable[[nn.Module, Tensor, Tensor], Tensor] | None = None

    def loss(self, network: nn.Module, z: Tensor, x: Tensor) -> Tensor:
        """What training minimises, (n,): minus the log density, or the regression that stands for it."""
        return self.regression(network, z, x) if self.regression else -self.log_prob(network, z, x)


def maf(**kwargs: Any) -> nn.Module:
    """Masked autoregressive flow whose layers take the parameters in turns forwards and backwards.

    Random orders, sbi's choice, can leave one parameter first in every layer, where it never sees x: with two
    parameters and five layers this happens to one network in sixteen.
    """
    network = build_maf(**kwargs)
    for name, buffer in network.named_buffers():
        if name.endswith("_permutation"):
            buffer.copy_(torch.arange(len(buffer) - 1, -1, -1))
    return network


def flow_matching(**kwargs: Any) -> nn.Module:
    """Flow matching with the velocity of a Gaussian as baseline."""
    return build_vector_field_estimator(estimator_type="flow", net="mlp", gaussian_baseline=True, **kwargs)


def direct_density(network: nn.Module, z: Tensor, x: Tensor) -> Tensor:
    """log q(z | x) (n,) of an estimator with a tractable density; one row of x for each row of z."""
    return network.log_prob(z.unsqueeze(0), x)[0]


ESTIMATORS: dict[str, Estimator] = {
    "maf": Estimator(
        maf,
        maf_samples,
        maf_density,
        "Papamakarios et al. (2017) Masked autoregressive flow, arXiv:1705.07057",
    ),
    "nsf": Estimator(
        build_nsf,
        nsf_samples,
        nsf_density,
        "Durkan et al. (2019) Neural spline flows, arXiv:1906.04032",
    ),
    "mdn": Estimator(
        build_mdn,
        mdn_samples,
        direct_density,
        "Bishop (1994) Mixture density networks, Aston University NCRG/94/004",
    ),
    "flow_matching": Estimator(
        flow_matching,
        neural_flow_samples,
        flow_density,
        "Lipman et al. (2023) Flow matching for generative modeling, arXiv:2210.02747",
        lambda network, z, x: network.loss(z, x),
    ),
}


def build(name: str, options: Mapping[str, Any], n_parameters: int, n_inputs: int, embedding: nn.Module) -> nn.Module:
    """A network for z (n, n_parameters) given x (n, n_inputs), initialised from torch's current random state.

    z and x arrive standardised, so sbi's own z-scoring is off.
    """
    z, x = torch.zeros(2, n_parameters), torch.zeros(2, n_inputs)
    with quiet():
        return ESTIMATORS[name].build(
            batch_x=z, batch_y=x, z_score_x="none", z_score_y="none", embedding_net=embedding, **options
        )


def new_network(n_parameters: int, n_inputs: int, options: Mapping[str, Any]) -> nn.Module:
    """An untrained network as the options say."""
    embedding = EMBEDDINGS[options["embedding"]["name"]].build(n_inputs, **options["embedding"]["options"])
    return build(options["estimator"]["name"], options["estimator"]["options"], n_parameters, n_inputs, embedding)


@contextmanager
def seeded_torch(seed: int) -> Iterator[None]:
    """Torch's global random state set to `seed` inside, as it was before outside."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
