"""The series themselves as features, for an embedding network (`inference: {embedding: cnn}`)."""

from vbiflow.features.batch import Batch
from vbiflow.features.feature import Option, Pieces, feature


@feature("samples", every=Option(1, "integer", "keep one sample out of so many, the mean of each group", minimum=1))
def samples(batch: Batch, *, every: int) -> Pieces:
    """Series of every node, one node after the other, as means of groups of samples."""
    length = batch.n_times // every
    means = batch.double[..., : length * every].reshape(*batch.double.shape[:-1], length, every).mean(axis=-1)
    for node, label in enumerate(batch.nodes.labels):
        yield [f"[{label}][{k}]" for k in range(length)], means[:, node]
