"""Elementary functions of the GPU kernels; after it comes the text of float32.py or float64.py that libdevice lacks.

This module's text becomes part of every generated GPU kernel, with the precision that it needs; names are those of
models/maths.py. libdevice's exp, log and tanh are a unit or two in the last place off and free of double precision in
their float32 versions; its sine and cosine are not, and those of the CPU kernel are used instead. Under numba's
simulator the functions run as plain Python.
"""

import math

import numba
import numpy as np
from numba import cuda, uint32, uint64  # noqa: F401  (for the text that follows)

F, INT, UINT, WORD, REAL, U = np.float32, np.int32, np.uint32, np.uint32, numba.float32, np.uintp
pi = F(math.pi)

if numba.config.ENABLE_CUDASIM:
    maths, OPTIONS = np, {}

    def function(python):
        return python

    def as_float(bits):
        return UINT(bits).view(F)

    def as_bits(value):
        return F(value).view(UINT)

else:
    from numba.cuda import libdevice

    maths, OPTIONS = math, {"cache": True, "launch_bounds": THREADS}  # noqa: F821  (set by the kernel's source)
    function = cuda.jit(device=True, forceinline=True)
    to_float, to_bits = libdevice.int_as_float, libdevice.float_as_int

    @function
    def as_float(bits):
        return to_float(INT(bits))

    @function
    def as_bits(value):
        return UINT(to_bits(value))


@function
def where(condition, yes, no):
    """`yes` where the condition holds, else `no`."""
    return yes if condition else no


@function
def sqrt(x):
    """Square root."""
    return F(maths.sqrt(x))


@function
def floor(x):
    """The largest whole number not above x."""
    return F(maths.floor(x))


@function
def exp(x):
    """e to the power of x."""
    return F(maths.exp(x))


@function
def expm1(x):
    """exp(x) - 1, exact near 0."""
    return F(maths.expm1(x))


@function
def log(x):
    """Natural logarithm."""
    return F(maths.log(x))


@function
def tanh(x):
    """Hyperbolic tangent."""
    return F(maths.tanh(x))
