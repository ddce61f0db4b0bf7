"""Reduced Wong-Wang model, one excitatory population a region, for resting-state fMRI.

    S' = -S / tau_s + (1 - S) gamma H(x),    x = w J S + G J sum_j W_ij S_j + I,    H(x) = u / (1 - exp(-d u)),  u = a x
    - b

with noise of `sigma` on S. Units: a [1/(ms nA)], b [1/ms], d [ms], so that H is in 1/ms; 270 n/C = 0.27 /(ms nA), 108
Hz = 0.108 /ms. H has its limit 1/d at threshold, u = 0, where earlier code returns 0; S is clipped to [0, 1], where
earlier code lets it leave.
"""

from vbiflow.models.maths import expm1
from vbiflow.models.model import Model, Parameter, State

TINY = 1e-30


def rate(x, a, b, d):
    """Firing rate H(x) [1/ms]; TINY makes it 1/d, not 0/0, at threshold."""
    u = a * x - b + TINY
    return -u / expm1(-d * u)


def send(y, p):
    """What a node sends: the synaptic gating S [1]."""
    return (y.S,)


def dfun(y, c, p):
    """Derivative of S [1/ms]."""
    x = p.w * p.J * y.S + p.G * p.J * c.S + p.I
    return (-y.S / p.tau_s + (1 - y.S) * p.gamma * rate(x, p.a, p.b, p.d),)


def gating(y, p):
    """Synaptic gating S, from 0 to 1 [1]."""
    return y.S


MODEL = Model(
    name="wong_wang",
    title="Wong-Wang, one population",
    states={"S": State(initial=(0.0, 0.2), bounds=(0.0, 1.0), noise=1.0)},
    parameters={
        "a": Parameter(0.27, "1/(ms nA)", "slope of the transfer function"),
        "b": Parameter(0.108, "1/ms", "threshold of the transfer function"),
        "d": Parameter(154.0, "ms", "curvature of the transfer function"),
        "gamma": Parameter(0.641, "1", "kinetic factor of the synaptic gating"),
        "tau_s": Parameter(100.0, "ms", "time constant of the synaptic gating"),
        "J": Parameter(0.2609, "nA", "synaptic strength"),
        "w": Parameter(0.6, "1", "local recurrence"),
        "I": Parameter(0.3, "nA", "external input"),
        "G": Parameter(1.0, "1", "global coupling"),
        "sigma": Parameter(0.005, "1/sqrt(ms)", "noise"),
    },
    sends=("S",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"S": gating, "bold_input": gating},
    time_scale=lambda p: p.tau_s,
    reference="Deco et al. 2013, doi:10.1523/JNEUROSCI.1091-13.2013; Kong et al. 2021, doi:10.1038/s41467-021-26704-y",
    largest_dt={"heun": 20.0, "euler": 10.0},
    defaults={"dt": 10.0, "integrator": "heun"},
)
