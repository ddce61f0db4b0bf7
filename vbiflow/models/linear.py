"""Linear network (Ornstein-Uhlenbeck), the simplest network model, whose covariance is known.

    x' = -x / tau + G sum_j W_ij x_j + I

with noise of `sigma` on x. The stationary covariance C solves A C + C A' + sigma^2 1 = 0 with A = G W - 1 / tau.
"""

from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    """What a node sends: x [1]."""
    return (y.x,)


def dfun(y, c, p):
    """Derivative of x [1/ms]."""
    return (-y.x / p.tau + p.G * c.x + p.I,)


def activity(y, p):
    """x [1]."""
    return y.x


MODEL = Model(
    name="linear",
    title="Linear (Ornstein-Uhlenbeck)",
    states={"x": State(initial=(-1.0, 1.0), valid=(-1e6, 1e6), noise=1.0)},
    parameters={
        "tau": Parameter(10.0, "ms", "time constant"),
        "I": Parameter(0.0, "1/ms", "external input"),
        "G": Parameter(0.01, "1/ms", "global coupling"),
        "sigma": Parameter(0.1, "1/sqrt(ms)", "noise"),
    },
    sends=("x",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"x": activity, "bold_input": activity},
    time_scale=lambda p: p.tau,
    reference="Uhlenbeck & Ornstein 1930, doi:10.1103/PhysRev.36.823",
    largest_dt={"heun": 4.0, "euler": 1.0},
    defaults={"dt": 1.0, "integrator": "heun"},
)
