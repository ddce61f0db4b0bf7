"""Training: z = Phi^-1(F(theta)) given standardised features, by the estimator named in the study."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vbiflow.clock import clock_of
from vbiflow.dependencies import code_hash
from vbiflow.estimator_options import resolve_options
from vbiflow.inference.conditional_gaussian import ConditionalGaussian
from vbiflow.inference.estimators import ESTIMATORS, new_network, seeded_torch
from vbiflow.inference.inputs import Condenser, Inputs, fit_inputs, learns_apart, network_inputs, surveyed_rows
from vbiflow.inference.marginal_networks import STEPS, TRAINING, MarginalNetworks
from vbiflow.inference.optimiser import Adam, cosine_rate
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.reduction import Reduction
from vbiflow.inference.scaling import ROWS
from vbiflow.inference.split import Split
from vbiflow.inference.training_set import TrainingSet
from vbiflow.inference.trials import Trial, trials
from vbiflow.io import sealed
from vbiflow.seal import verify
from vbiflow.termination import defer_termination, termination_asked

EpochProgress = Callable[[int, float, str], None]
"""Called with (epoch, validation loss, which network of the training)."""
Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""What is minimised (n,), of a network, z (n, p) and network inputs (n, k)."""
FEWEST = 20
HALVINGS = 4
SAVED_EVERY = 30.0
"""Seconds between two checkpoints."""
CODE = "vbiflow/inference/training.py"


def train(
    data: TrainingSet,
    options: Mapping[str, Any] | None = None,
    *,
    seed: int,
    progress: EpochProgress | None = None,
    checkpoint: str | Path | None = None,
) -> tuple[Posterior, dict[str, Any]]:
    """Fit q(theta | x) by maximising the mean of log q(z | x) over the training simulations.

    The learning rate halves after every quarter of `patience` epochs without progress on the validation simulations,
    and training stops after `patience` epochs without. With `schedule: cosine` it falls along a cosine to nothing at
    `max_epochs`, all of which are trained. The weights of the best epoch are kept. The first network is trained in more
    than one way, and what validates best is kept (`trials`). With 20 parameters or more, and 2 000 simulations to
    learn from, a regression learns from a third of them at most, and from the others each parameter has a network of
    its own, trained before the flow (`MarginalNetworks`). The test simulations of the data's split are never seen. The
    same seed gives the same weights.

    Parameters
    ----------
    data : simulations to learn from; every later x_o must have features of the same names
    options : the study's `inference` block
    seed : of the networks' weights and of the order in which they see simulations
    progress : called after each epoch
    checkpoint : folder that a killed training of the same data and options goes on from, to the same weights; removed
        at the end

    Returns
    -------
    Posterior, and the history: train_loss and validation_loss (one list a member) [nats], epochs, n_train, seconds,
    cpu_seconds of the processor, both with those that killed jobs spent on the epochs that this one went on from, ...

    Raises
    ------
    ValueError
        If an option is unknown, or too few simulations are valid.

    References
    ----------
    Greenberg et al. (2019) Automatic posterior transformation for likelihood-free inference, arXiv:1905.07488
    """
    options = resolve_options(options)
    device = chosen_device(options["device"])
    parts, valid = data.split, data.valid
    if min(len(parts.train), len(parts.validation)) < FEWEST:
        cure = "raise n_simulations" if valid.mean() > 0.5 else "narrow the prior; reason in features.h5 says why"
        raise ValueError(
            f"{int(valid.sum())} of {len(valid)} simulations are valid, {len(parts.train)} to train on and "
            f"{len(parts.validation)} to validate; {FEWEST} of each are needed: {cure}"
        )
    clock = clock_of(device)
    begin, cpu, earlier = clock(), time.process_time(), np.zeros(2)
    rows = np.r_[parts.train, parts.validation]
    z = data.prior.to_normal(data.theta[rows]).astype(np.float32)
    scaling, condenser, own, dropped = fit_inputs(data.x, z, parts.train, data.names, data.prior.names, options)
    n_train, n_taught = len(parts.train), len(own)
    folder = checkpoint and Path(checkpoint)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        name = str(folder / data.digest(code_hash(CODE), options, seed))  # how the names of all checkpoints begin
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        if learns_apart(options, n_train, z.shape[1]):
            whole = Condenser(Reduction.identity(scaling.n_inputs), condenser.regression)
            scaled = Condenser(whole.reduction)
            u = network_inputs(data.x, rows[:n_taught], scaling, scaled, own[:0], f"{scratch}/taught")
            taught = u, own[:, -condenser.regression.n_outputs :], z[:n_taught]
            rows, z, own, n_train = rows[n_taught:], z[n_taught:], own[:0], n_train - n_taught
            u = network_inputs(data.x, rows, scaling, whole, own, f"{scratch}/marginals")
            inputs = Inputs(z, u, n_train, device, None)
            path = folder and Path(f"{name}-marginals.pt")
            regression, earlier = with_marginals(inputs, whole, taught, options, seed, progress, path)
            condenser = replace(condenser, regression=regression)
        trainings: list[Training] = []
        for k, trial in enumerate(trials(options, condenser, own, z.shape[1])):
            if not trainings or trial.condenser is not condenser:
                u = network_inputs(data.x, rows, scaling, trial.condenser, trial.own, f"{scratch}/{k}")
                inputs = Inputs(z, u, n_train, device, trial.condenser.regression)
            checkpoints = folder and f"{name}-{k}"
            told = member_progress(progress, trial, 1, options["members"])
            first = fit_flow(inputs, trial.options, seed, told, checkpoints and Path(f"{checkpoints}-0.pt"))
            trainings.append(Training(trial, inputs, checkpoints, *first))
        best = min(trainings, key=lambda training: min(training.losses["validation_loss"]))
        condenser, options, inputs, n = best.trial.condenser, best.trial.options, best.inputs, options["members"]
        members = [(best.network, best.losses, np.zeros(2))]
        for k in range(1, n):
            told, path = member_progress(progress, best.trial, k + 1, n), folder and Path(f"{best.checkpoints}-{k}.pt")
            members.append(fit_flow(inputs, options, seed + 7919 * k, told, path))
    if folder:
        shutil.rmtree(folder)
    posterior = Posterior(data.prior, data.names, scaling, condenser, [network for network, *_ in members], options)
    history = training_history([losses for _, losses, _ in members], parts, dropped, valid)
    earlier += sum(training.earlier for training in trainings) + sum(spent for *_, spent in members)
    history |= {"n_inputs": condenser.n_outputs}
    history |= {"dropout": options["estimator"]["options"].get("dropout_probability", 0.0)}
    seconds, cpu_seconds = earlier + np.array([clock() - begin, time.process_time() - cpu])
    return posterior, history | {"seconds": float(seconds), "cpu_seconds": float(cpu_seconds)}


class Training(NamedTuple):
    """A network that was trained, what with, how the names of its members' checkpoints begin, and what `fit` gives."""

    trial: Trial
    inputs: Inputs
    checkpoints: str | None
    network: nn.Module
    losses: dict[str, list[float]]
    earlier: np.ndarray


def member_progress(
    progress: EpochProgress | None, trial: Trial, number: int, members: int
) -> Callable[[int, float], None]:
    """Progress of one network, called with (epoch, validation loss): it says which trial and which member it is."""
    which = ", ".join(filter(None, (trial.name, f"member {number} of {members}" if members > 1 else "")))
    return (lambda epoch, loss: progress(epoch, loss, which)) if progress else (lambda *_: None)


def chosen_device(device: str) -> str:
    """The torch device of `device`; "auto" is the GPU where there is one."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("inference device cuda: torch sees no GPU here; write cpu or auto")
    return device


def with_marginals(
    data: Inputs,
    whole: Condenser,
    taught: tuple[np.ndarray, ...],
    options: Mapping[str, Any],
    seed: int,
    progress: EpochProgress | None,
    checkpoint: Path | None,
) -> tuple[ConditionalGaussian, np.ndarray]:
    """The regression with a network for each parameter, trained on `data` as `whole` gives it, all features.

    Beside it come the seconds of earlier jobs, as from `fit`. What is left of errors is found from
    simulations that they have not met.

    Parameters
    ----------
    data : rows to learn from and to validate on, with all features and the regression's moments as inputs
    whole : gives these inputs
    taught : features (m, k), moments that leave out the row itself (m, 2 p), and z (m, p) of the rows that the
        regression learnt from
    options : the study's `inference` block
    seed : of the networks' weights
    progress : called after each epoch
    checkpoint : file that a killed training goes on from
    """
    regression, k = whole.regression, whole.reduction.n_outputs
    n_epochs = max(TRAINING["max_epochs"], ceil(STEPS * TRAINING["batch_size"] / data.n_train))
    options = {**options, **TRAINING, "max_epochs": n_epochs}
    learnt = slice(min(data.n_train, surveyed_rows(k)))
    fresh = slice(data.n_train, data.n_train + surveyed_rows(k))
    seen = data.u[learnt, :k], data.u[learnt, k:], data.z[learnt].numpy()
    new = partial(MarginalNetworks.of, *seen, regression.family, data.n_train)
    told = (lambda epoch, loss: progress(epoch, loss, "networks of single parameters")) if progress else None
    networks, _, earlier = fit(data, options, seed, new, MarginalNetworks.loss, told, checkpoint)
    unmet = data.u[fresh, :k], data.u[fresh, k:], data.z[fresh].numpy()
    return regression.with_networks(networks, unmet, taught), earlier


def fit_flow(
    data: Inputs, options: Mapping[str, Any], seed: int, progress: Callable[[int, float], None], checkpoint: Path | None
) -> tuple[nn.Module, dict[str, list[float]], np.ndarray]:
    """Train one density estimator; the loss is -log q(z | x), or the regression of the velocity for flow matching.

    Losses that are log densities come back as those of z, before any regression of it.
    """
    estimator, shifts = ESTIMATORS[options["estimator"]["name"]], data.shifts
    if estimator.regression:
        shifts = dict.fromkeys(shifts, 0.0)

    def tell(epoch: int, loss: float) -> None:
        progress(epoch, loss - shifts["validation_loss"])

    new = partial(new_network, data.z.shape[1], data.u.shape[1], options)
    network, losses, earlier = fit(data, options, seed, new, estimator.loss, tell, checkpoint)
    return network, {key: [loss - shifts[key] for loss in values] for key, values in losses.items()}, earlier


def fit(
    data: Inputs,
    options: Mapping[str, Any],
    seed: int,
    new: Callable[[], nn.Module],
    loss: Loss,
    progress: Callable[[int, float], None] | None,
    checkpoint: Path | None,
) -> tuple[nn.Module, dict[str, list[float]], np.ndarray]:
    """Train a network that `new` makes, and give it with the weights of its best epoch, and its losses.

    Last come the seconds, by the clock and of the processor, of the killed jobs whose checkpoint it went on from.

    Parameters
    ----------
    data : rows to learn from and to validate on
    options : batch_size, learning_rate, schedule, patience, max_epochs and clip_norm
    seed : of all that is random
    new : makes the network, from torch's random numbers
    loss : what is minimised
    progress : called after each epoch
    checkpoint : file that a killed training goes on from
    """
    with seeded_torch(seed):
        run = Run(data, options, new(), loss)
        if checkpoint and checkpoint.exists() and not run.resume(checkpoint):
            return fit(data, options, seed, new, loss, progress, checkpoint)
        saved = time.monotonic()
        while not run.finished:
            with defer_termination():  # of an epoch that ends in time nothing is lost
                run.epoch()
                if progress:
                    progress(len(run.history["validation_loss"]), run.history["validation_loss"][-1])
                if checkpoint and (run.finished or termination_asked() or time.monotonic() - saved >= SAVED_EVERY):
                    run.save(checkpoint)
                    saved = time.monotonic()
        network = new()
        network.load_state_dict(run.best)
        return network.eval(), run.history, run.earlier


class Run:
    """One training in progress: network, optimiser, best weights so far and losses."""

    def __init__(self, data: Inputs, options: Mapping[str, Any], network: nn.Module, loss: Loss) -> None:
        self.data, self.options, self.network, self.loss = data, options, network.to(data.device), loss
        self.optimiser = Adam(self.network.parameters(), options["learning_rate"])
        self.history: dict[str, list[float]] = {"train_loss": [], "validation_loss": []}
        self.best = weights(self.network)
        self.begin, self.earlier = both_clocks(), np.zeros(2)

    @property
    def finished(self) -> bool:
        """Whether max_epochs are done, or the validation loss has not improved for `patience` epochs.

        A rate that falls along a cosine gives most of its progress at the end, whatever the loss did before.
        """
        stalled = self.options["schedule"] != "cosine" and self.stalled >= self.options["patience"]
        return stalled or len(self.history["validation_loss"]) >= self.options["max_epochs"]

    @property
    def stalled(self) -> int:
        """Epochs since the best one."""
        losses = self.history["validation_loss"]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0

    def epoch(self) -> None:
        """Go once over the training rows in random order, then measure the validation loss."""
        self.network.train()
        losses, cosine = self.history["validation_loss"], self.options["schedule"] == "cosine"
        if cosine:
            first, n_epochs = self.options["learning_rate"], self.options["max_epochs"]
            self.optimiser.learning_rate = cosine_rate(first, len(losses), n_epochs)
        order = torch.randperm(self.data.n_train).numpy()
        size, total = self.options["batch_size"], 0.0
        for start in range(0, len(order), size):
            z, u = self.data.training_rows(np.sort(order[start : start + size]))
            loss = self.loss(self.network, z, u).mean()
            loss.backward()
            self.optimiser.step(self.options["clip_norm"])
            total += loss.item() * len(z)
        self.history["train_loss"].append(total / len(order))
        losses.append(self.validation())
        if not np.isfinite(losses[-1]):
            raise ValueError(
                f"training diverged in epoch {len(losses)}: the loss is not finite; lower learning_rate "
                f"({self.options['learning_rate']:g}) or look for extreme features"
            )
        if losses[-1] <= min(losses):
            self.best = weights(self.network)
        if not cosine and self.stalled and self.stalled % max(1, self.options["patience"] // HALVINGS) == 0:
            self.optimiser.learning_rate /= 2

    @torch.no_grad()
    def validation(self) -> float:
        """Mean loss over the validation rows, with the same noise in every epoch where the loss is stochastic."""
        self.network.eval()
        total, stop = 0.0, len(self.data.z)
        with seeded_torch(0):
            for start in range(self.data.n_train, stop, ROWS):
                z, u = self.data.rows(np.arange(start, min(start + ROWS, stop)))
                total += self.loss(self.network, z, u).sum().item()
        return total / (stop - self.data.n_train)

    def save(self, path: Path) -> None:
        """Write all that the next epoch depends on."""
        content = {
            "network": weights(self.network),
            "optimiser": self.optimiser.state_dict(),
            "best": self.best,
            "history": self.history,
            "seconds": (both_clocks() - self.begin + self.earlier).tolist(),
            "random": torch.get_rng_state(),
            "random_device": torch.cuda.get_rng_state() if self.data.device == "cuda" else None,
        }
        with sealed(path) as part:
            torch.save(content, part)

    def resume(self, path: Path) -> bool:
        """Go on from what `save` wrote; drop it with a line, and say no, if it is damaged or not of this training."""
        try:
            if verify(path).made_as != str(path):
                raise ValueError(f"{path}: a checkpoint of another training")
            content = torch.load(path, map_location="cpu", weights_only=True)
            self.network.load_state_dict(content["network"])
            self.optimiser.load_state_dict(content["optimiser"])
            self.best, self.history, self.earlier = content["best"], content["history"], np.array(content["seconds"])
            torch.set_rng_state(content["random"])
            if content["random_device"] is not None:
                torch.cuda.set_rng_state(content["random_device"])
        except Exception as error:  # whatever is wrong with it, the training can start anew
            print(f"{str(error).splitlines()[0]}: the checkpoint is dropped, training starts anew", flush=True)
            path.unlink()
            return False
        return True


def both_clocks() -> np.ndarray:
    """Seconds by the clock, and of the processor."""
    return np.array([time.monotonic(), time.process_time()])


def weights(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the network's weights and buffers by name."""
    return {name: value.clone() for name, value in network.state_dict().items()}


def training_history(
    losses: Sequence[Mapping[str, list[float]]], parts: Split, dropped: Mapping[str, str], valid: np.ndarray
) -> dict[str, Any]:
    """What training.json holds beside the time."""
    return {
        "train_loss": [member["train_loss"] for member in losses],
        "validation_loss": [member["validation_loss"] for member in losses],
        "epochs": [len(member["validation_loss"]) for member in losses],
        "best_epoch": [int(np.argmin(member["validation_loss"])) + 1 for member in losses],
        "n_train": len(parts.train),
        "n_validation": len(parts.validation),
        "n_test": len(parts.test),
        "n_invalid": int((~valid).sum()),
        "dropped_features": dict(dropped),
    }
