"""Montbrio-Pazo-Roxin model: exact mean field of quadratic integrate-and-fire neurons.

    tau r' = Delta / pi + 2 r v
    tau v' = v^2 + eta + J r - (pi r)^2 + G sum_j W_ij r_j + I

r is the firing rate times tau, v the mean membrane potential, both dimensionless. tau = 10 ms is explicit here; earlier
code takes tau = 1 and counts each of its ms as 10 ms of BOLD time. Noise of `sigma` on r and sqrt(2) sigma on v, r >=
0; the default is the paper's noise amplitude 0.037: sigma = sqrt(2 * 0.037 / tau).

That noise drives r to its bound 0, whence v spikes to some hundreds: explicit steps must be short. By Heun's scheme the
mean is off by 0.07 standard deviations at dt 0.1; by the semi-implicit one by 0.03 at 0.4.
"""

from vbiflow.models.maths import pi
from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    """What a node sends: the firing rate r, in units of 1 / tau."""
    return (y.r,)


def dfun(y, c, p):
    """Derivatives of r and v [1/ms]."""
    dr = (p.Delta / pi + 2 * y.r * y.v) / p.tau
    dv = (y.v**2 + p.eta + p.J * y.r - (pi * y.r) ** 2 + p.G * c.r + p.I) / p.tau
    return dr, dv


def rate(y, p):
    """Firing rate r, in units of 1 / tau."""
    return y.r


def potential(y, p):
    """Mean membrane potential v [1]."""
    return y.v


MODEL = Model(
    name="montbrio",
    title="Montbrio-Pazo-Roxin",
    states={
        "r": State(initial=(0.0, 1.5), bounds=(0.0, 1e6), valid=(0.0, 1e3), noise=1.0),
        "v": State(initial=(-2.0, 2.0), valid=(-1e4, 1e4), noise=2**0.5),
    },
    parameters={
        "tau": Parameter(10.0, "ms", "time constant"),
        "Delta": Parameter(0.7, "1", "half width of the excitabilities"),
        "J": Parameter(14.5, "1", "synaptic weight"),
        "eta": Parameter(-4.6, "1", "mean excitability"),
        "I": Parameter(0.0, "1", "external input"),
        "G": Parameter(0.56, "1", "global coupling"),
        "sigma": Parameter(0.086, "1/sqrt(ms)", "noise"),
    },
    sends=("r",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"r": rate, "v": potential, "rate": rate, "bold_input": rate},
    time_scale=lambda p: p.tau,
    reference="Montbrio, Pazo & Roxin 2015, doi:10.1103/PhysRevX.5.021028",
    largest_dt={"heun": 0.05, "euler": 0.05, "semi_implicit": 0.4},
    defaults={"dt": 0.05, "integrator": "heun"},
)
