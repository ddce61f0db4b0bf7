"""Damped oscillator of the VBI toolkit's tutorial (Lotka-Volterra with self-limitation): one node, no noise.

    x' = (x - x y - a x^2) / tau
    y' = (x y - y - b y^2) / tau

It spirals into x = (1 + b) / (1 + a b), y = (1 - a) / (1 + a b).
"""

from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    """What a node would send to others: x [1]."""
    return (y.x,)


def dfun(y, c, p):
    """Derivatives of x and y [1/ms]."""
    return (y.x - y.x * y.y - p.a * y.x**2) / p.tau, (y.x * y.y - y.y - p.b * y.y**2) / p.tau


def prey(y, p):
    """x [1]."""
    return y.x


def predator(y, p):
    """y [1]."""
    return y.y


MODEL = Model(
    name="damped_oscillator",
    title="Damped oscillator",
    states={"x": State(initial=(0.5, 0.5), valid=(-1e3, 1e3)), "y": State(initial=(1.0, 1.0), valid=(-1e3, 1e3))},
    parameters={
        "a": Parameter(0.1, "1", "self-limitation of x"),
        "b": Parameter(0.05, "1", "self-limitation of y"),
        "tau": Parameter(1.0, "ms", "time unit"),
    },
    sends=("x",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"x": prey, "y": predator},
    time_scale=lambda p: p.tau,
    reference="Ziaeemehr et al. 2025, doi:10.7554/eLife.106194",
    largest_dt={"heun": 0.2, "euler": 0.0125},
    defaults={"dt": 0.05, "integrator": "heun"},
)
