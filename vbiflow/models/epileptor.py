"""Epileptor with all six variables, for sEEG-like signals with fast discharges.

    x1' = y1 - z + I1 + x1 (b x1 - a x1^2                 if x1 < 0, else  slope - x2 + 0.6 (z - 4)^2)
    y1' = c - d x1^2 - y1
    z'  = r (4 (x1 - x0) - z - 0.1 z^7 [z < 0] - G sum_j W_ij (x1_j - x1_i))
    x2' = -y2 + x2 - x2^3 + I2 + 2 g - 0.3 (z - 3.5)
    y2' = (-y2 + (0 if x2 < -0.25, else 6 (x2 + 0.25))) / tau
    g'  = -0.01 (g - 0.1 x1)

with noise of `sigma` on x2 and y2. The local field potential is x2 - x1.
"""

from vbiflow.models.maths import where
from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    """What a node sends: x1, the population with slow discharges [1]."""
    return (y.x1,)


def dfun(y, c, p):
    """Derivatives of x1, y1, z, x2, y2 and g [1/ms]."""
    slow = where(y.x1 < 0, p.b * y.x1 - p.a * y.x1**2, p.slope - y.x2 + 0.6 * (y.z - 4) ** 2)
    floor = where(y.z < 0, 0.1 * y.z**3 * y.z**4, 0 * y.z)
    fast = where(y.x2 < -0.25, 0 * y.x2, 6 * (y.x2 + 0.25))
    return (
        y.y1 - y.z + p.I1 + slow * y.x1,
        p.c - p.d * y.x1**2 - y.y1,
        p.r * (4 * (y.x1 - p.x0) - y.z - floor - p.G * c.x1),
        -y.y2 + y.x2 - y.x2**3 + p.I2 + 2 * y.g - 0.3 * (y.z - 3.5),
        (-y.y2 + fast) / p.tau,
        -0.01 * (y.g - 0.1 * y.x1),
    )


def potential(y, p):
    """Local field potential, x2 - x1 [1]."""
    return y.x2 - y.x1


def population(y, p):
    """Population with slow discharges, x1 [1]."""
    return y.x1


def permittivity(y, p):
    """Permittivity z, the slow variable that starts and ends seizures [1]."""
    return y.z


MODEL = Model(
    name="epileptor",
    title="Epileptor, six variables",
    states={
        "x1": State(initial=(-2.0, -1.0), valid=(-1e3, 1e3)),
        "y1": State(initial=(-20.0, -10.0), valid=(-1e4, 1e4)),
        "z": State(initial=(3.0, 4.0), valid=(-1e3, 1e3)),
        "x2": State(initial=(-1.0, 0.0), valid=(-1e3, 1e3), noise=1.0),
        "y2": State(initial=(0.0, 1.0), valid=(-1e3, 1e3), noise=1.0),
        "g": State(initial=(-0.2, -0.1), valid=(-1e3, 1e3)),
    },
    parameters={
        "a": Parameter(1.0, "1", "cubic coefficient of x1"),
        "b": Parameter(3.0, "1", "quadratic coefficient of x1"),
        "c": Parameter(1.0, "1", "offset of y1"),
        "d": Parameter(5.0, "1", "quadratic coefficient of y1"),
        "r": Parameter(0.00035, "1/ms", "rate of the permittivity"),
        "x0": Parameter(-1.6, "1", "excitability"),
        "I1": Parameter(3.1, "1", "external input to the first population"),
        "I2": Parameter(0.45, "1", "external input to the second population"),
        "slope": Parameter(0.0, "1", "linear coefficient of x1"),
        "tau": Parameter(10.0, "ms", "time constant of y2"),
        "G": Parameter(1.0, "1", "global coupling"),
        "sigma": Parameter(0.0245, "1/sqrt(ms)", "noise"),
    },
    sends=("x1",),
    coupling="difference",
    send=send,
    dfun=dfun,
    signals={"lfp": potential, "x1": population, "z": permittivity, "bold_input": population},
    time_scale=lambda p: p.tau.clip(max=1.0),
    reference="Jirsa et al. 2014, doi:10.1093/brain/awu133",
    largest_dt={"heun": 0.05, "euler": 0.00625},
    defaults={"dt": 0.05, "integrator": "heun"},
)
