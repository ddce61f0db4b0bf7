"""Wong-Wang model with an excitatory and an inhibitory population a region (dynamic mean field), for resting-state
fMRI.

    S_E' = -S_E / tau_E + (1 - S_E) gamma_E H_E(I_E),    I_E = W_E I0 + w_plus J_N S_E + G J_N sum_j W_ij S_E,j - J_I
    S_I S_I' = -S_I / tau_I + gamma_I H_I(I_I),              I_I = W_I I0 + J_N S_E - S_I H(I) = u / (1 - exp(-d u)),  u
    = a I - b

with noise of `sigma` on both, S_E and S_I in [0, 1]. As published: a_I is 615 /nC and the inhibitory pool is driven by
S_E, where earlier code has 0.615 and S_I; an isolated node rests at S_E = 0.165, 3.1 Hz. Units: a [1/(ms nA)], b
[1/ms].
"""

from vbiflow.models.model import Model, Parameter, State
from vbiflow.models.wong_wang import rate


def send(y, p):
    return (y.S_E,)


def dfun(y, c, p):
    I_E = p.W_E * p.I0 + p.w_plus * p.J_N * y.S_E + p.G * p.J_N * c.S_E - p.J_I * y.S_I
    I_I = p.W_I * p.I0 + p.J_N * y.S_E - y.S_I
    return (
        -y.S_E / p.tau_E + (1 - y.S_E) * p.gamma_E * rate(I_E, p.a_E, p.b_E, p.d_E),
        -y.S_I / p.tau_I + p.gamma_I * rate(I_I, p.a_I, p.b_I, p.d_I),
    )


def excitation(y, p):
    return y.S_E


def inhibition(y, p):
    return y.S_I


MODEL = Model(
    name="wong_wang_ei",
    title="Wong-Wang, excitatory and inhibitory",
    states={
        "S_E": State(initial=(0.0, 0.3), bounds=(0.0, 1.0), noise=1.0),
        "S_I": State(initial=(0.0, 0.1), bounds=(0.0, 1.0), noise=1.0),
    },
    parameters={
        "a_E": Parameter(0.31, "1/(ms nA)", "slope, excitatory"),
        "b_E": Parameter(0.125, "1/ms", "threshold, excitatory"),
        "d_E": Parameter(160.0, "ms", "curvature, excitatory"),
        "a_I": Parameter(0.615, "1/(ms nA)", "slope, inhibitory"),
        "b_I": Parameter(0.177, "1/ms", "threshold, inhibitory"),
        "d_I": Parameter(87.0, "ms", "curvature, inhibitory"),
        "tau_E": Parameter(100.0, "ms", "time constant of NMDA gating"),
        "tau_I": Parameter(10.0, "ms", "time constant of GABA gating"),
        "gamma_E": Parameter(0.641, "1", "kinetic factor, excitatory"),
        "gamma_I": Parameter(1.0, "1", "kinetic factor, inhibitory"),
        "W_E": Parameter(1.0, "1", "scale of the external input, excitatory"),
        "W_I": Parameter(0.7, "1", "scale of the external input, inhibitory"),
        "I0": Parameter(0.382, "nA", "external input"),
        "J_N": Parameter(0.15, "nA", "excitatory synaptic strength"),
        "J_I": Parameter(1.0, "nA", "feedback inhibition"),
        "w_plus": Parameter(1.4, "1", "local recurrence"),
        "G": Parameter(1.0, "1", "global coupling"),
        "sigma": Parameter(0.01, "1/sqrt(ms)", "noise"),
    },
    sends=("S_E",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"S_E": excitation, "S_I": inhibition, "bold_input": excitation},
    time_scale=lambda p: p.tau_I,
    reference="Deco et al. 2014, doi:10.1523/JNEUROSCI.5068-13.2014",
    defaults={"dt": 1.0, "integrator": "heun"},
)
