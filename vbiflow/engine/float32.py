"""Elementary functions in single precision for the kernels: branch-free, so that loops over lanes vectorise.

Polynomials of the Cephes library (Moshier 1989), in short chains of operations (Estrin); a few units in the last place
over the ranges tested. Generated kernels import a copy of this module's text; names are those of models/maths.py.
Arguments are normal numbers; not-a-number passes through.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

F, INT, UINT = np.float32, np.int32, np.uint32
FLAGS = {"contract", "nsz", "arcp"}
function = njit(fastmath=FLAGS, error_model="numpy", forceinline=True)
pi = F(3.14159265358979)


@intrinsic
def as_float(typing_context, bits):
    """Bit pattern as a number."""
    return types.float32(types.uint32), lambda ctx, builder, sig, args: builder.bitcast(args[0], ir.FloatType())


@intrinsic
def as_bits(typing_context, value):
    """Number as a bit pattern."""
    return types.uint32(types.float32), lambda ctx, builder, sig, args: builder.bitcast(args[0], ir.IntType(32))


@function
def where(condition, yes, no):
    """`yes` where the condition holds, else `no`."""
    return yes if condition else no


@function
def sqrt(x):
    """Square root."""
    return np.sqrt(x)


@function
def floor(x):
    """The largest whole number not above x."""
    return np.floor(x)


@function
def reduce_exp(x):
    """exp(x) = 2**n exp(r), |r| <= ln(2) / 2: n in the lowest bits of a word, and r."""
    x = min(max(x, F(-87.0)), F(88.0))
    shifted = x * F(1.44269504) + F(12582912.0)
    n = shifted - F(12582912.0)
    return as_bits(shifted), x - n * F(0.693359375) + n * F(2.12194440e-4)


@function
def exp(x):
    """The polynomial's error, the least a fifth degree with 1 at 0 can have, is 0.8 of a unit in the last place."""
    n, x = reduce_exp(x)
    z = x * x
    y = (F(0.0082902648) * x + F(0.041898388)) * z + (F(0.1666764) * x + F(0.49999148))
    y = y * z + (F(0.9999997) * x + F(1))
    return as_float(UINT(as_bits(y) + UINT(n << UINT(23))))


@function
def expm1(x):
    """exp(x) - 1, exact near 0."""
    n, x = reduce_exp(x)
    z = x * x
    y = (F(0.50000001201) + F(0.16666665459) * x) + z * (F(4.1665795894e-2) + F(8.3334519073e-3) * x)
    y = y + z * z * (F(1.3981999507e-3) + F(1.9875691500e-4) * x)
    scale = as_float(UINT(n + UINT(127)) << UINT(23))
    return scale * (y * z + x) + (scale - F(1))


@function
def tanh(x):
    """Hyperbolic tangent."""
    x = min(max(x, F(-10.0)), F(10.0))
    e = expm1(x + x)
    return e / (e + F(2))


@function
def log_mantissa(x, e):
    """log((1 + x) 2**e) for 1 + x in [sqrt(1/2), sqrt(2)]."""
    z = x * x
    w = z * z
    y = (F(0.33333331174) - F(0.24999993993) * x) + z * (F(0.20000714765) - F(0.16668057665) * x)
    v = (F(0.14249322787) - F(0.12420140846) * x) + z * (F(0.11676998740) - F(0.11514610310) * x)
    y = y + w * (v + w * F(7.0376836292e-2))
    y = y * x * z - e * F(2.12194440e-4) - F(0.5) * z
    return x + y + e * F(0.693359375)


@function
def split(x):
    """x = (1 + m) 2**e with 1 + m in [sqrt(1/2), sqrt(2))."""
    bits = as_bits(x)
    e = INT(bits >> UINT(23)) - INT(127)
    m = as_float((bits & UINT(0x7FFFFF)) | UINT(0x3F800000))
    upper = m > F(1.41421356)
    return (F(0.5) * m if upper else m) - F(1), F(e) + (F(1) if upper else F(0))


@function
def log(x):
    """Natural logarithm; not-a-number below 0, minus infinity at 0."""
    m, e = split(x)
    y = log_mantissa(m, e)
    y = y if x > F(0) else F(np.nan)
    return y if x != F(0) else F(-np.inf)


@function
def sin_cos_quarter(x):
    """Sine and cosine of x in [-pi/4, pi/4]."""
    z = x * x
    s = ((F(-1.9515295891e-4) * z + F(8.3321608736e-3)) * z - F(1.6666654611e-1)) * z * x + x
    c = ((F(2.443315711809948e-5) * z - F(1.388731625493765e-3)) * z + F(4.166664568298827e-2)) * z * z
    return s, c - F(0.5) * z + F(1)


@function
def turn(s, c, quadrant):
    """Sine and cosine of x + quadrant pi/2 from those of x; the quadrant lies in the highest two bits."""
    swap = INT(UINT(quadrant << UINT(1))) < INT(0)
    sine, cosine = (c if swap else s), (s if swap else c)
    sign_s, sign_c = quadrant & UINT(0x80000000), UINT(quadrant + UINT(0x40000000)) & UINT(0x80000000)
    return as_float(as_bits(sine) ^ sign_s), as_float(as_bits(cosine) ^ sign_c)


@function
def sin_cos(x):
    """Sine and cosine of x [rad]."""
    shifted = x * F(0.6366197723675814) + F(12582912.0)
    n = shifted - F(12582912.0)
    x = ((x - n * F(1.5703125)) - n * F(4.837512969970703e-4)) - n * F(7.54978995489188e-8)
    s, c = sin_cos_quarter(x)
    return turn(s, c, UINT(as_bits(shifted) << UINT(30)))


@function
def sin(x):
    """Sine of x [rad]."""
    return sin_cos(x)[0]


@function
def cos(x):
    """Cosine of x [rad]."""
    return sin_cos(x)[1]


@function
def radius(k):
    """sqrt(-2 log((k + 1/2) / 2**32)) of a 32-bit k; near one the logarithm's argument is its exact distance to one."""
    near = k >= UINT(0xB504F333)
    j = INT(~k) if near else INT(k)
    t = F(j) + (F(4294967296.0) if j < INT(0) else F(0.5))
    m, e = split(t)
    m = F(-2.3283064365386963e-10) * t if near else m
    e = F(0) if near else e - F(32)
    return sqrt(F(-2) * log_mantissa(m, e))


@function
def circle(k):
    """Sine and cosine of 2 pi k / 2**32 of a 32-bit k."""
    s, c = sin_cos_quarter(F(INT(UINT(k << UINT(2)))) * F(3.657295198167899e-10))
    return turn(s, c, UINT(k + UINT(0x20000000)))
