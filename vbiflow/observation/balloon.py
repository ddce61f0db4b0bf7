"""Balloon-Windkessel haemodynamics: BOLD from neural activity, as a model like any other.

    s' = e x - kappa s - gamma (f - 1),   f' = s,   tau v' = f - v**(1/alpha),
    tau q' = f (1 - (1 - E0)**(1/f)) / E0 - v**(1/alpha) q / v,
    bold = V0 (k1 (1 - q) + k2 (1 - q / v) + k3 (1 - v))

x is the node's "bold_input" signal. It starts at rest (s, f, v, q) = (0, 1, 1, 1). f may fall below one (undershoot).

References: Friston et al. 2003, doi:10.1016/S1053-8119(03)00202-7; Stephan et al. 2007,
doi:10.1016/j.neuroimage.2007.07.040
"""

from vbiflow.models.maths import exp, log
from vbiflow.models.model import Model, Parameter, State
from vbiflow.observation.model import ObservationModel


def send(y, p):
    """What a node would send: the vasodilatory signal s; regions do not exchange it."""
    return (y.s,)


def dfun(y, c, p):
    """Derivatives of s [1/ms^2] and of f, v and q [1/ms]."""
    outflow = exp(log(y.v) / p.alpha)
    extraction = (1 - exp(log(1 - p.E0) / y.f)) / p.E0
    return (
        p.efficacy * c.x - p.kappa * y.s - p.gamma * (y.f - 1),
        y.s,
        (y.f - outflow) / p.tau,
        (y.f * extraction - outflow * y.q / y.v) / p.tau,
    )


def bold(y, p):
    """BOLD signal change, a share of the baseline [1]."""
    return p.V0 * (p.k1 * (1 - y.q) + p.k2 * (1 - y.q / y.v) + p.k3 * (1 - y.v))


def signal_constants(E0, theta0=40.3, r0=25.0, TE=0.04, ratio=1.0):
    """k1, k2, k3 from the frequency offset theta0 [1/s], slope r0 [1/s], echo time TE [s] and intra- to extravascular
    ratio.
    """
    return {"k1": 4.3 * theta0 * E0 * TE, "k2": ratio * r0 * E0 * TE, "k3": 1 - ratio}


FRISTON = {"efficacy": 1e-6, "kappa": 0.65e-3, "gamma": 0.41e-6, "tau": 980.0}
DECAY = {"efficacy": 0.1e-6, "kappa": 1e-3 / 1.5, "gamma": 1e-6 / 4.5, "tau": 1000.0}
PARAMETERS = {
    "stephan2007": {**FRISTON, "alpha": 0.32, "E0": 0.4, "V0": 0.04, **signal_constants(0.4)},
    "paper": {**DECAY, "alpha": 0.2, "E0": 0.8, "V0": 0.02, **signal_constants(0.8, ratio=1.43)},
    "kong2021": {
        **{**FRISTON, "alpha": 0.33, "E0": 0.34, "V0": 0.02 / 0.34},
        **{"k1": 4.3 * 28.265 * 3 * 0.0331 * 0.34, "k2": 0.47 * 110 * 0.0331 * 0.34, "k3": 0.53},
    },
}
"""Named sets. stephan2007: the signal equation of Stephan et al. 2007 with its constants for 1.5 T (E0 0.4, V0 4 %,
intra- to extravascular ratio 1), on flow and volume with the constants of Friston et al. 2003. paper: table 7 of
Ziaeemehr et al. 2025, doi:10.7554/eLife.106194. kong2021: Kong et al. 2021, doi:10.1038/s41467-021-26704-y, who give
percent. All sets give the relative change of the signal, a fraction.
"""

MODEL = Model(
    name="balloon",
    title="Balloon-Windkessel",
    states={
        "s": State(initial=(0.0, 0.0)),
        "f": State(initial=(1.0, 1.0), bounds=(1e-2, 1e3)),
        "v": State(initial=(1.0, 1.0), bounds=(1e-2, 1e3)),
        "q": State(initial=(1.0, 1.0), bounds=(1e-2, 1e3)),
    },
    parameters={
        "efficacy": Parameter(1e-6, "1/ms^2", "neural efficacy e"),
        "kappa": Parameter(0.65e-3, "1/ms", "decay of the vasodilatory signal"),
        "gamma": Parameter(0.41e-6, "1/ms^2", "autoregulation by flow"),
        "tau": Parameter(980.0, "ms", "transit time"),
        "alpha": Parameter(0.32, "1", "stiffness of the vessels"),
        "E0": Parameter(0.4, "1", "oxygen extraction at rest"),
        "V0": Parameter(0.04, "1", "blood volume fraction at rest"),
        "k1": Parameter(2.77264, "1", "intravascular signal"),
        "k2": Parameter(0.4, "1", "concentration change"),
        "k3": Parameter(0.0, "1", "extra- to intravascular exchange"),
    },
    sends=("x",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"bold": bold},
    time_scale=lambda p: p.tau,
    reference="Stephan et al. 2007, doi:10.1016/j.neuroimage.2007.07.040",
)

OBSERVATION = ObservationModel(MODEL, "bold_input", PARAMETERS, default="stephan2007", longest_step=60.0)
"""A step of 60 ms leaves an error of 0.1 % of the signal's standard deviation."""
