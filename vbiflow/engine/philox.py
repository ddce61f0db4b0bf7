"""Random numbers addressed by what they are for, not by the order in which they are drawn: Philox4x32-10.

A block of four 32-bit words is a pure function of a counter and a key:

    key     (seed mod 2**32, seed div 2**32)
    counter (step, node block, 65536 stream + 256 purpose + variable block, simulation)

so that every simulation has its own noise, whichever batch, shard, thread or device computes it. This is the NumPy
version; noise.py is the same function in the kernels.

Reference: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3, doi:10.1145/2063384.2063405
"""

from __future__ import annotations

import numpy as np

NOISE, INITIAL, MEASUREMENT = 0, 1, 2
"""Purposes of random numbers."""


def philox(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Philox4x32-10.

    counter (..., 4) and key (..., 2), 32-bit words, broadcast against each other; returns words (..., 4), uint32.
    """
    counter, key = (np.asarray(words, np.uint64) for words in (counter, key))
    c0, c1, c2, c3 = (counter[..., i] for i in range(4))
    k0, k1 = key[..., 0], key[..., 1]
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> shift) ^ c1 ^ k0, p1 & low, (p0 >> shift) ^ c3 ^ k1, p0 & low
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), -1).astype(np.uint32)


def block_size(n_variables: int) -> int:
    """Nodes that share a block of four numbers: 4 for one noisy variable a node, 2 for two, else 1."""
    return 4 // n_variables if n_variables in (1, 2) else 1


def words(
    seed: int, simulations: np.ndarray, step: int, stream: int, purpose: int, n_variables: int, n_nodes: int
) -> np.ndarray:
    """Random words (n_simulations, n_variables, n_nodes), uint32, for one step of the given simulations.

    Parameters
    ----------
    seed : of the study, at most 64 bits.
    simulations : indices (n_simulations,).
    step : number of the time step.
    stream : a `Stream`: random numbers that must differ, such as those of rounds, have streams of their own.
    purpose : what the numbers are for: noise of the equations, initial states or measurement.
    n_variables, n_nodes : how many numbers of each simulation.
    """
    per = block_size(n_variables)
    n_blocks, n_words = -(-n_nodes // per), -(-n_variables * per // 4)
    counter = np.empty((len(simulations), n_blocks, n_words, 4), np.uint64)
    counter[..., 0] = step
    counter[..., 1] = np.arange(n_blocks)[:, None]
    counter[..., 2] = 65536 * stream + 256 * purpose + np.arange(n_words)
    counter[..., 3] = np.asarray(simulations)[:, None, None]
    key = np.array([seed & 0xFFFFFFFF, seed >> 32])
    blocks = philox(counter, key).reshape(len(simulations), n_blocks, 4 * n_words)[..., : per * n_variables]
    return blocks.reshape(len(simulations), n_blocks * per, n_variables)[:, :n_nodes].swapaxes(1, 2)


def normals(seed: int, simulations: np.ndarray, step: int, stream: int, n_variables: int, n_nodes: int) -> np.ndarray:
    """Standard normals (n_simulations, n_variables, n_nodes), float64, for one step: Box-Muller on pairs of 32-bit
    words.

    Words (k, l) give r cos(a) and r sin(a) with r = sqrt(-2 log((k + 1/2) / 2**32)), a = 2 pi l / 2**32.
    """
    per = block_size(n_variables)
    n_blocks, n_words = -(-n_nodes // per), -(-n_variables * per // 4)
    k = words(seed, simulations, step, stream, NOISE, 4 * n_words, n_blocks).swapaxes(1, 2).astype(np.float64)
    r = np.sqrt(-2 * np.log((k[..., 0::2] + 0.5) / 2**32))
    angle = 2 * np.pi / 2**32 * k[..., 1::2]
    z = np.stack([r * np.cos(angle), r * np.sin(angle)], -1).reshape(*k.shape)[..., : per * n_variables]
    return z.reshape(len(simulations), n_blocks * per, n_variables)[:, :n_nodes].swapaxes(1, 2)


def uniforms(seed: int, simulations: np.ndarray, stream: int, n_variables: int, n_nodes: int) -> np.ndarray:
    """Uniform numbers in (0, 1), (n_simulations, n_variables, n_nodes), for initial states."""
    return (words(seed, simulations, 0, stream, INITIAL, n_variables, n_nodes) + 0.5) / 2**32
