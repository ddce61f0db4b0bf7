"""The random numbers of philox.py in the kernels: four standard normals from one counter and key.

Generated kernels import a copy of this module's text that stands after that of float32.py or float64.py, whose `radius`
and `circle` it uses.
"""

from numba import njit, uint32, uint64

from vbiflow.engine.float32 import circle, radius


@njit(forceinline=True)
def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10 in 64-bit words whose upper halves are garbage that no operation looks at: the cheapest form on a
    CPU's vectors.
    """
    low, shift = uint64(0xFFFFFFFF), uint64(32)
    for _ in range(10):
        p0 = (c0 & low) * uint64(0xD2511F53)
        p1 = (c2 & low) * uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> shift) ^ c1 ^ k0, p1, (p0 >> shift) ^ c3 ^ k1, p0
        k0 = k0 + uint64(0x9E3779B9)
        k1 = k1 + uint64(0xBB67AE85)
    return uint32(c0), uint32(c1), uint32(c2), uint32(c3)


@njit(forceinline=True, fastmath={"contract", "nsz", "arcp"})
def four_normals(c0, c1, c2, c3, k0, k1):
    """Four standard normals from a counter (c0 ... c3) and a key (k0, k1): Philox and Box-Muller."""
    w0, w1, w2, w3 = philox(uint64(c0), uint64(c1), uint64(c2), uint64(c3), uint64(k0), uint64(k1))
    r0, r1 = radius(w0), radius(w2)
    s0, z0 = circle(w1)
    s1, z1 = circle(w3)
    return r0 * z0, r0 * s0, r1 * z1, r1 * s1
