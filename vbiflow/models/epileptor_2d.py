"""Epileptor reduced to two variables (Virtual Epileptic Patient), for the spread of seizures.

    x' = 1 - x^3 - 2 x^2 - z + I
    tau z' = 4 (x - eta) - z - G sum_j W_ij (x_j - x_i)

with noise of `sigma` on x and z. x is the envelope of the seizure; time in ms as in the paper.
"""

from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    """What a node sends: x, the envelope of the seizure [1]."""
    return (y.x,)


def dfun(y, c, p):
    """Derivatives of x and z [1/ms]."""
    dx = 1 - y.x**3 - 2 * y.x**2 - y.z + p.I
    dz = (4 * (y.x - p.eta) - y.z - p.G * c.x) / p.tau
    return dx, dz


def envelope(y, p):
    """Envelope of the seizure, x [1]."""
    return y.x


def permittivity(y, p):
    """Permittivity z, the slow variable that starts and ends seizures [1]."""
    return y.z


MODEL = Model(
    name="epileptor_2d",
    title="Epileptor, two variables",
    states={
        "x": State(initial=(-2.5, -2.5), valid=(-1e2, 1e2), noise=1.0),
        "z": State(initial=(3.5, 3.5), valid=(-1e3, 1e3), noise=1.0),
    },
    parameters={
        "tau": Parameter(90.0, "ms", "time constant of the permittivity"),
        "eta": Parameter(-3.65, "1", "excitability"),
        "I": Parameter(3.1, "1", "external input"),
        "G": Parameter(1.0, "1", "global coupling"),
        "sigma": Parameter(0.0, "1/sqrt(ms)", "noise"),
    },
    sends=("x",),
    coupling="difference",
    send=send,
    dfun=dfun,
    signals={"x": envelope, "z": permittivity, "bold_input": envelope},
    time_scale=lambda p: p.tau.clip(max=1.0),
    reference="Hashemi et al. 2020, doi:10.1016/j.neuroimage.2020.116839",
    largest_dt={"heun": 0.1, "euler": 0.05},
    defaults={"dt": 0.05, "integrator": "heun"},
)
