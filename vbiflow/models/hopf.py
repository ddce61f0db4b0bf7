"""Generic Hopf model (normal form of a supercritical Hopf bifurcation), for resting-state fMRI.

    x' = x (a - x^2 - y^2) / tau - omega y + G / tau sum_j W_ij (x_j - x_i)
    y' = y (a - x^2 - y^2) / tau + omega x + G / tau sum_j W_ij (y_j - y_i)

with noise of `sigma` on both. tau = 1 s makes a and G the numbers that the literature gives in 1/s. Euler's scheme adds
omega^2 dt / 2 to the growth rate a / tau, Heun's omega^4 dt^3 / 8.
"""

from vbiflow.models.maths import pi
from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    """What a node sends: x and y [1]."""
    return y.x, y.y


def dfun(y, c, p):
    """Derivatives of x and y [1/ms]."""
    growth = (p.a - y.x**2 - y.y**2) / p.tau
    return (
        growth * y.x - p.omega * y.y + p.G / p.tau * c.x,
        growth * y.y + p.omega * y.x + p.G / p.tau * c.y,
    )


def real(y, p):
    """x, the real part of the oscillation [1]."""
    return y.x


def imaginary(y, p):
    """y, the imaginary part of the oscillation [1]."""
    return y.y


STATES = {name: State(initial=(-0.1, 0.1), valid=(-1e3, 1e3), noise=1.0) for name in ("x", "y")}

MODEL = Model(
    name="hopf",
    title="Generic Hopf",
    states=STATES,
    parameters={
        "a": Parameter(-0.02, "1", "distance to the bifurcation"),
        "omega": Parameter(2 * pi * 0.04e-3, "1/ms", "angular frequency"),
        "tau": Parameter(1000.0, "ms", "time unit"),
        "G": Parameter(1.0, "1", "global coupling"),
        "sigma": Parameter(6.3e-4, "1/sqrt(ms)", "noise"),
    },
    sends=("x", "y"),
    coupling="difference",
    send=send,
    dfun=dfun,
    signals={"x": real, "y": imaginary, "bold_input": real},
    time_scale=lambda p: (1 / abs(p.omega)).clip(max=p.tau),
    reference="Deco et al. 2017, doi:10.1038/s41598-017-03073-5",
    largest_dt={"heun": 160.0, "euler": 20.0},
    defaults={"dt": 20.0, "integrator": "heun"},
)
