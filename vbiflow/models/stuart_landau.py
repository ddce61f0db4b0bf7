"""Stuart-Landau oscillators with conduction delays, for MEG.

    Z_i' = Z_i (a + i omega tau - |Z_i|^2) / tau + G / tau sum_j W_ij (Z_j(t - L_ij / speed) - Z_i(t)),    Z = x + i y

with noise of `sigma` on x and y. tau = 1 s makes a and G the numbers that the literature gives in 1/s. The cubic term
stays, where one of the sources drops it; for a > 0 the radius of an isolated node is sqrt(a).
"""

from vbiflow.models.hopf import STATES, imaginary, real, send
from vbiflow.models.maths import pi
from vbiflow.models.model import Model, Parameter


def dfun(y, c, p):
    growth = (p.a - y.x**2 - y.y**2) / p.tau
    return (
        growth * y.x - p.omega * y.y + p.G / p.tau * c.x,
        growth * y.y + p.omega * y.x + p.G / p.tau * c.y,
    )


MODEL = Model(
    name="stuart_landau",
    title="Stuart-Landau with delays",
    states=STATES,
    parameters={
        "a": Parameter(-5.0, "1", "distance to the bifurcation"),
        "omega": Parameter(2 * pi * 0.04, "1/ms", "angular frequency"),
        "tau": Parameter(1000.0, "ms", "time unit"),
        "G": Parameter(350.0, "1", "global coupling"),
        "sigma": Parameter(3.2e-6, "1/sqrt(ms)", "noise"),
    },
    sends=("x", "y"),
    coupling="difference",
    send=send,
    dfun=dfun,
    signals={"x": real, "y": imaginary, "bold_input": real},
    time_scale=lambda p: 1 / abs(p.omega),
    reference="Cabral et al. 2022, doi:10.1038/s42005-022-00950-y",
    defaults={"dt": 0.1, "integrator": "euler"},
)
