"""Jansen-Rit model of a cortical column: pyramidal cells, excitatory and inhibitory interneurons, for EEG and MEG.

    y0'' = A a S(y1 - y2) - 2 a y0' - a^2 y0
    y1'' = A a (mu + C2 S(C1 y0) + G sum_j W_ij S(y1_j - y2_j)) - 2 a y1' - a^2 y1
    y2'' = B b C4 S(C3 y0) - 2 b y2' - b^2 y2
    S(v) = v_max / (1 + exp(r (v0 - v))),    C1 = C, C2 = 0.8 C, C3 = C4 = 0.25 C

with noise of `sigma` on y1'. The coupling is the sum of sigmoids, where some earlier code takes the sigmoid of the sum;
C scales all four constants. The velocities y3, y4, y5 are y0', y1', y2'.
"""

from vbiflow.models.maths import exp
from vbiflow.models.model import Model, Parameter, State


def sigmoid(v, v_max, r, v0):
    """Firing rate [1/ms] at potential v [mV]."""
    return v_max / (1 + exp(r * (v0 - v)))


def send(y, p):
    """What a node sends: the firing rate of its pyramidal cells [1/ms]."""
    return (sigmoid(y.y1 - y.y2, p.v_max, p.r, p.v0),)


def dfun(y, c, p):
    """Derivatives of y0 to y2 [mV/ms] and of their velocities y3 to y5 [mV/ms^2]."""
    pyramidal = sigmoid(y.y1 - y.y2, p.v_max, p.r, p.v0)
    excitatory = 0.8 * p.C * sigmoid(p.C * y.y0, p.v_max, p.r, p.v0)
    inhibitory = 0.25 * p.C * sigmoid(0.25 * p.C * y.y0, p.v_max, p.r, p.v0)
    return (
        y.y3,
        y.y4,
        y.y5,
        p.A * p.a * pyramidal - 2 * p.a * y.y3 - p.a**2 * y.y0,
        p.A * p.a * (p.mu + excitatory + p.G * c.rate) - 2 * p.a * y.y4 - p.a**2 * y.y1,
        p.B * p.b * inhibitory - 2 * p.b * y.y5 - p.b**2 * y.y2,
    )


def eeg(y, p):
    """Potential of the pyramidal cells, y1 - y2 [mV], the source of EEG."""
    return y.y1 - y.y2


def rate(y, p):
    """Firing rate of the pyramidal cells [1/ms]."""
    return sigmoid(y.y1 - y.y2, p.v_max, p.r, p.v0)


MODEL = Model(
    name="jansen_rit",
    title="Jansen-Rit",
    states={
        "y0": State(initial=(-1.0, 1.0), valid=(-1e4, 1e4)),
        "y1": State(initial=(0.0, 20.0), valid=(-1e4, 1e4)),
        "y2": State(initial=(0.0, 20.0), valid=(-1e4, 1e4)),
        "y3": State(initial=(-1.0, 1.0)),
        "y4": State(initial=(-1.0, 1.0), noise=1.0),
        "y5": State(initial=(-1.0, 1.0)),
    },
    parameters={
        "A": Parameter(3.25, "mV", "excitatory gain"),
        "B": Parameter(22.0, "mV", "inhibitory gain"),
        "a": Parameter(0.1, "1/ms", "inverse time constant, excitatory"),
        "b": Parameter(0.05, "1/ms", "inverse time constant, inhibitory"),
        "v_max": Parameter(0.005, "1/ms", "highest firing rate"),
        "v0": Parameter(6.0, "mV", "potential at half the highest rate"),
        "r": Parameter(0.56, "1/mV", "slope of the sigmoid"),
        "C": Parameter(135.0, "1", "number of synapses"),
        "mu": Parameter(0.24, "1/ms", "external input"),
        "G": Parameter(1.5, "1", "global coupling"),
        "sigma": Parameter(0.1, "mV/ms^1.5", "noise"),
    },
    sends=("rate",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"eeg": eeg, "rate": rate, "bold_input": rate},
    time_scale=lambda p: 1 / p.a,
    reference="Jansen & Rit 1995, doi:10.1007/BF00199471",
    largest_dt={"heun": 2.0, "euler": 0.1},
    defaults={"dt": 0.1, "integrator": "heun"},
    units={"eeg": "mV", "rate": "1/ms", "bold_input": "1/ms"},
)
