"""Figure of an estimator's training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vbiflow.figures.style import PALETTE, canvas, finite_array, message, signed_number, styled

Losses = Sequence[float] | Sequence[Sequence[float]]


@styled
def training(train_loss: Losses, validation_loss: Losses) -> Figure:
    """Draw loss, -log q(theta | x) [nat], over epochs for training and validation, a pair a member."""
    members = list(zip(losses_by_member(train_loss), losses_by_member(validation_loss), strict=True))
    if not members:
        return message("training.json lists no epoch")
    figure = canvas(2.3, 4.6)
    axes = figure.subplots()
    for index, (train, validation) in enumerate(members):
        train, validation = finite_array("train_loss", train), finite_array("validation_loss", validation)
        named = index == 0
        epochs = np.arange(1, len(validation) + 1)
        best = int(np.nanargmin(validation))
        axes.plot(np.arange(1, len(train) + 1), train, color=PALETTE["prior"], label="training" if named else None)
        axes.plot(epochs, validation, color=PALETTE["posterior"], label="validation" if named else None)
        axes.axvline(best + 1, color=PALETTE["ink"], linewidth=0.6, linestyle=":")
        axes.plot(best + 1, validation[best], "o", color=PALETTE["posterior"], markersize=4)
        if named:
            text = f"best: epoch {best + 1}, {signed_number(validation[best])} nat" if len(members) == 1 else "best"
            axes.plot([], [], "o", color=PALETTE["posterior"], markersize=4, label=text)
    shown = np.concatenate([np.ravel(loss)[len(loss) // 50 :] for pair in members for loss in pair])
    low, high = np.nanmin(shown), np.nanmax(shown)
    axes.set_ylim(low - 0.05 * (high - low) - 1e-6, high + 0.05 * (high - low) + 1e-6)
    title = "Training" if len(members) == 1 else f"Training of {len(members)} members"
    axes.set(xlabel="epoch", ylabel="loss, −log q(θ | x) [nat]", title=title)
    axes.legend(loc="upper right")
    return figure


def losses_by_member(losses: Losses) -> list[list[float]]:
    """Return the losses as one list a member, whether one or several were trained."""
    if not len(losses):
        return []
    return [list(member) for member in losses] if np.ndim(losses[0]) else [list(losses)]
