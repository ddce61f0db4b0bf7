"""Wilson-Cowan model of an excitatory and an inhibitory population.

    tau_e E' = -E + (k_e - r_e E) S(alpha_e (c_ee E - c_ei I + P - theta_e + g_e sum_j W_ij E_j); a_e, b_e, c_e)
    tau_i I' = -I + (k_i - r_i I) S(alpha_i (c_ie E - c_ii I + Q - theta_i + g_i sum_j W_ij I_j); a_i, b_i, c_i)
    S(u; a, b, c) = c / (1 + exp(-a (u - b)))

with noise of `sigma` on E and I, not divided by tau, as in the paper's code. The global coupling is g_e (G in the
paper's figures).
"""

from vbiflow.models.maths import exp
from vbiflow.models.model import Model, Parameter, State


def sigmoid(u, a, b, c):
    """Response to input u."""
    return c / (1 + exp(-a * (u - b)))


def send(y, p):
    """What a node sends: the activity of both populations [1]."""
    return y.E, y.I


def dfun(y, c, p):
    """Derivatives of E and I [1/ms]."""
    u_e = p.alpha_e * (p.c_ee * y.E - p.c_ei * y.I + p.P - p.theta_e + p.g_e * c.E)
    u_i = p.alpha_i * (p.c_ie * y.E - p.c_ii * y.I + p.Q - p.theta_i + p.g_i * c.I)
    return (
        (-y.E + (p.k_e - p.r_e * y.E) * sigmoid(u_e, p.a_e, p.b_e, p.c_e)) / p.tau_e,
        (-y.I + (p.k_i - p.r_i * y.I) * sigmoid(u_i, p.a_i, p.b_i, p.c_i)) / p.tau_i,
    )


def excitation(y, p):
    """Activity of the excitatory population [1]."""
    return y.E


def inhibition(y, p):
    """Activity of the inhibitory population [1]."""
    return y.I


MODEL = Model(
    name="wilson_cowan",
    title="Wilson-Cowan",
    states={
        "E": State(initial=(0.0, 1.0), valid=(-1e3, 1e3), noise=1.0),
        "I": State(initial=(0.0, 1.0), valid=(-1e3, 1e3), noise=1.0),
    },
    parameters={
        "c_ee": Parameter(16.0, "1", "excitatory to excitatory"),
        "c_ei": Parameter(12.0, "1", "inhibitory to excitatory"),
        "c_ie": Parameter(15.0, "1", "excitatory to inhibitory"),
        "c_ii": Parameter(3.0, "1", "inhibitory to inhibitory"),
        "tau_e": Parameter(8.0, "ms", "time constant, excitatory"),
        "tau_i": Parameter(8.0, "ms", "time constant, inhibitory"),
        "a_e": Parameter(1.3, "1", "slope, excitatory"),
        "a_i": Parameter(2.0, "1", "slope, inhibitory"),
        "b_e": Parameter(4.0, "1", "threshold of the sigmoid, excitatory"),
        "b_i": Parameter(3.7, "1", "threshold of the sigmoid, inhibitory"),
        "c_e": Parameter(1.0, "1", "highest response, excitatory"),
        "c_i": Parameter(1.0, "1", "highest response, inhibitory"),
        "theta_e": Parameter(0.0, "1", "threshold of the input, excitatory"),
        "theta_i": Parameter(0.0, "1", "threshold of the input, inhibitory"),
        "r_e": Parameter(1.0, "1", "refractoriness, excitatory"),
        "r_i": Parameter(1.0, "1", "refractoriness, inhibitory"),
        "k_e": Parameter(0.994, "1", "scale of the response, excitatory"),
        "k_i": Parameter(0.999, "1", "scale of the response, inhibitory"),
        "alpha_e": Parameter(1.0, "1", "gain of the input, excitatory"),
        "alpha_i": Parameter(1.0, "1", "gain of the input, inhibitory"),
        "P": Parameter(0.0, "1", "external input, excitatory"),
        "Q": Parameter(0.0, "1", "external input, inhibitory"),
        "g_e": Parameter(0.0, "1", "global coupling, excitatory"),
        "g_i": Parameter(0.0, "1", "global coupling, inhibitory"),
        "sigma": Parameter(0.005, "1/sqrt(ms)", "noise"),
    },
    sends=("E", "I"),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"E": excitation, "I": inhibition, "bold_input": excitation},
    time_scale=lambda p: p.tau_e.clip(max=p.tau_i),
    reference="Wilson & Cowan 1972, doi:10.1016/S0006-3495(72)86068-5",
    largest_dt={"heun": 0.8, "euler": 0.8},
    defaults={"dt": 0.1, "integrator": "heun"},
    gains={"E": "g_e", "I": "g_i"},
    strength="g_e",
)
