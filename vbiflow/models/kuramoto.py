"""Kuramoto phase oscillators with a phase lag (Sakaguchi).

    theta' = omega + G sum_j W_ij sin(theta_j - theta_i - alpha)

A node sends sin and cos of its phase, so that the coupling is linear. Noise of `sigma` on theta, wrapped to one turn.
"""

from vbiflow.models.maths import cos, pi, sin
from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    """What a node sends: sine and cosine of its phase [1]."""
    return sin(y.theta), cos(y.theta)


def dfun(y, c, p):
    """Derivative of the phase [rad/ms]."""
    angle = y.theta + p.alpha
    return (p.omega + p.G * (cos(angle) * c.sine - sin(angle) * c.cosine),)


def phase(y, p):
    """Phase, from 0 to 2 pi [rad]."""
    return y.theta


def signal(y, p):
    """Sine of the phase [1]."""
    return sin(y.theta)


MODEL = Model(
    name="kuramoto",
    title="Kuramoto-Sakaguchi",
    states={"theta": State(initial=(0.0, 2 * pi), noise=1.0, wrap=2 * pi)},
    parameters={
        "omega": Parameter(2 * pi * 0.04, "1/ms", "natural angular frequency"),
        "alpha": Parameter(0.0, "1", "phase lag"),
        "G": Parameter(0.01, "1/ms", "global coupling"),
        "sigma": Parameter(0.0, "1/sqrt(ms)", "noise"),
    },
    sends=("sine", "cosine"),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"theta": phase, "sine": signal, "bold_input": signal},
    time_scale=lambda p: 1 / abs(p.omega),
    reference="Sakaguchi & Kuramoto 1986, doi:10.1143/PTP.76.576",
    largest_dt={"heun": 0.8, "euler": 0.8},
    defaults={"dt": 0.1, "integrator": "heun"},
)
