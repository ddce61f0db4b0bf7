"""Elementary functions in double precision for the kernels: branch-free, so that loops over lanes vectorise.

Polynomials of the Cephes library (Moshier 1989), for exp one without a division; a few units in the last place over the
ranges tested. Generated kernels import a copy of this module's text; names are those of models/maths.py. Arguments
are normal numbers; not-a-number passes through.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

F, INT, UINT, WORD = np.float64, np.int64, np.uint64, np.uint32
FLAGS = {"contract", "nsz", "arcp"}
function = njit(fastmath=FLAGS, error_model="numpy", forceinline=True)
pi = F(np.pi)


@intrinsic
def as_float(typing_context, bits):
    """Bit pattern as a number."""
    return types.float64(types.uint64), lambda ctx, builder, sig, args: builder.bitcast(args[0], ir.DoubleType())


@intrinsic
def as_bits(typing_context, value):
    """Number as a bit pattern."""
    return types.uint64(types.float64), lambda ctx, builder, sig, args: builder.bitcast(args[0], ir.IntType(64))


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
    """exp(x) = 2**n (1 + r): 2**n and r, |x - n ln 2| <= ln(2) / 2."""
    x = min(max(x, F(-708.0)), F(709.0))
    shifted = x * F(1.4426950408889634) + F(6755399441055744.0)
    n = shifted - F(6755399441055744.0)
    x = x - n * F(6.93145751953125e-1) - n * F(1.42860682030941723212e-6)
    z = x * x
    w = z * z
    a = (F(0.5000000000000001) + F(0.16666666666666669) * x) + z * (
        F(0.041666666666623824) + F(0.008333333333330039) * x
    )
    b = F(0.0013888888917367081) + F(0.00019841269863171557) * x
    c = (F(2.4801521057868204e-05) + F(2.7557268276905696e-06) * x) + z * (
        F(2.7620201591031547e-07) + F(2.5100472505694996e-08) * x
    )
    y = a + w * (b + z * c)
    return as_float(UINT(as_bits(shifted) + UINT(1023)) << UINT(52)), y * z + x


@function
def exp(x):
    """e to the power of x."""
    scale, r = reduce_exp(x)
    return scale * r + scale


@function
def expm1(x):
    """exp(x) - 1, exact near 0."""
    scale, r = reduce_exp(x)
    return scale * r + (scale - F(1))


@function
def tanh(x):
    """Hyperbolic tangent."""
    x = min(max(x, F(-22.0)), F(22.0))
    e = expm1(x + x)
    return e / (e + F(2))


@function
def log_mantissa(x, e):
    """log((1 + x) 2**e) for 1 + x in [sqrt(1/2), sqrt(2)]."""
    z = x * x
    p = F(1.01875663804580931796e-4)
    p = p * x + F(4.97494994976747001425e-1)
    p = p * x + F(4.70579119878881725854e0)
    p = p * x + F(1.44989225341610930846e1)
    p = p * x + F(1.79368678507819816313e1)
    p = p * x + F(7.70838733755885391666e0)
    q = x + F(1.12873587189167450590e1)
    q = q * x + F(4.52279145837532221105e1)
    q = q * x + F(8.29875266912776603211e1)
    q = q * x + F(7.11544750618563894466e1)
    q = q * x + F(2.31251620126765340583e1)
    y = x * (z * p / q) - e * F(2.121944400546905827679e-4) - F(0.5) * z
    return x + y + e * F(0.693359375)


@function
def split(x):
    """x = (1 + m) 2**e with 1 + m in [sqrt(1/2), sqrt(2))."""
    bits = as_bits(x)
    e = as_float((bits >> UINT(52)) | UINT(0x4330000000000000)) - F(4503599627371519.0)
    m = as_float((bits & UINT(0xFFFFFFFFFFFFF)) | UINT(0x3FF0000000000000))
    upper = m > F(1.4142135623730951)
    return (F(0.5) * m if upper else m) - F(1), e + (F(1) if upper else F(0))


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
    s = F(1.58962301576546568060e-10)
    s = s * z - F(2.50507477628578072866e-8)
    s = s * z + F(2.75573136213857245213e-6)
    s = s * z - F(1.98412698295895385996e-4)
    s = s * z + F(8.33333333332211858878e-3)
    s = s * z - F(1.66666666666666307295e-1)
    c = F(-1.13585365213876817300e-11)
    c = c * z + F(2.08757008419747316778e-9)
    c = c * z - F(2.75573141792967388112e-7)
    c = c * z + F(2.48015872888517045348e-5)
    c = c * z - F(1.38888888888730564116e-3)
    c = c * z + F(4.16666666666665929218e-2)
    return s * z * x + x, c * z * z - F(0.5) * z + F(1)


@function
def turn(s, c, quadrant):
    """Sine and cosine of x + quadrant pi/2 from those of x; the quadrant lies in the highest two bits."""
    swap = INT(UINT(quadrant << UINT(1))) < INT(0)
    sine, cosine = (c if swap else s), (s if swap else c)
    top, one = UINT(0x8000000000000000), UINT(0x4000000000000000)
    return as_float(as_bits(sine) ^ (quadrant & top)), as_float(as_bits(cosine) ^ (UINT(quadrant + one) & top))


@function
def sin_cos(x):
    """Sine and cosine of x [rad]."""
    shifted = x * F(0.63661977236758134308) + F(6755399441055744.0)
    n = shifted - F(6755399441055744.0)
    x = ((x - n * F(1.57079625129699707031)) - n * F(7.54978941586159635335e-8)) - n * F(5.39030285815811905290e-15)
    s, c = sin_cos_quarter(x)
    return turn(s, c, UINT(as_bits(shifted) << UINT(62)))


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
    """sqrt(-2 log((k + 1/2) / 2**32)) of a 32-bit k."""
    m, e = split(F(k) + F(0.5))
    return sqrt(F(-2) * log_mantissa(m, e - F(32)))


@function
def circle(k):
    """Sine and cosine of 2 pi k / 2**32 of a 32-bit k."""
    s, c = sin_cos_quarter(F(np.int32(WORD(k << WORD(2)))) * F(3.657295198167899e-10))
    return turn(s, c, UINT(k + WORD(0x20000000)) << UINT(32))
