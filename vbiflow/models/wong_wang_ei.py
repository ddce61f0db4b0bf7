"""Wong-Wang model with an excitatory and an inhibitory population a region (dynamic mean field), for resting-state
fMRI.

    S_E' = -S_E / tau_E + (1 - S_E) gamma_E H_E(I_E)
    S_I' = -S_I / tau_I + gamma_I H_I(I_I)
    I_E = W_E I0 + w_EE J_N S_E + G J_N sum_j W_ij S_E,j - J_I S_I
    I_I = W_I I0 + w_EI J_N S_E - S_I
    H(I) = u / (1 - exp(-d u)),  u = a I - b

with noise of `sigma` on both, S_E and S_I in [0, 1]. As published: a_I is 615 /nC and the inhibitory pool is driven by
S_E, where earlier code has 0.615 and S_I; an isolated node rests at S_E = 0.165, 3.1 Hz. w_EE is w+ of Deco et al.
Units: a [1/(ms nA)], b [1/ms]. sigma is the published 0.01, which the authors' scheme takes times sqrt(dt) with dt in
ms; it moves S_E by 0.07 around its 0.165, and the mean rate above that of the fixed point.

Feedback inhibition: with `rate_E` in the place of J_I, each region's J_I is the one at which all excitatory populations
fire at that rate at the fixed point (Deco et al. 2014; Demirtas et al. 2019, doi:10.1016/j.neuron.2019.01.017; Zhang et
al. 2024, doi:10.1073/pnas.2318641121). S_E and I_E follow from the rate alone, S_I from S_E, and

    J_I = (W_E I0 + w_EE J_N S_E + G J_N S_E sum_j W_ij - I_E) / S_I
"""

import numpy as np

from vbiflow.models.model import Derived, Model, Parameter, Solution, State, remember_last
from vbiflow.models.wong_wang import rate


def send(y, p):
    """What a node sends: the excitatory synaptic gating S_E [1]."""
    return (y.S_E,)


def dfun(y, c, p):
    """Derivatives of S_E and S_I [1/ms]."""
    I_E = p.W_E * p.I0 + p.w_EE * p.J_N * y.S_E + p.G * p.J_N * c.S_E - p.J_I * y.S_I
    I_I = p.W_I * p.I0 + p.w_EI * p.J_N * y.S_E - y.S_I
    return (
        -y.S_E / p.tau_E + (1 - y.S_E) * p.gamma_E * rate(I_E, p.a_E, p.b_E, p.d_E),
        -y.S_I / p.tau_I + p.gamma_I * rate(I_I, p.a_I, p.b_I, p.d_I),
    )


def excitation(y, p):
    """Excitatory synaptic gating S_E, from 0 to 1 [1]."""
    return y.S_E


def inhibition(y, p):
    """Inhibitory synaptic gating S_I, from 0 to 1 [1]."""
    return y.S_I


def excitatory_rate(y, p):
    """Firing rate of the excitatory population [Hz], the one at which S_E stays as it is."""
    return 1000 * y.S_E / ((1 - y.S_E) * p.gamma_E * p.tau_E)


def bisect(function, low, high):
    """Roots (n_nodes,) of increasing functions, one a node."""
    for _ in range(60):
        middle = (low + high) / 2
        below = function(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def find_point_at_rate(p, rate_E):
    """S_E, S_I and I_E [nA] of the fixed point at which the excitatory populations fire at rate_E [Hz], (n_nodes,)."""
    target = rate_E / 1000  # 1/ms
    driven = p.tau_E * p.gamma_E * target
    S_E = driven / (1 + driven)
    enough = (target + (p.b_E + 1 / p.d_E)) / p.a_E  # H(I) > u
    I_E = bisect(lambda current: rate(current, p.a_E, p.b_E, p.d_E) - target, enough - 100 / (p.a_E * p.d_E), enough)
    drive, gain = p.W_I * p.I0 + p.w_EI * p.J_N * S_E, p.tau_I * p.gamma_I
    most = gain * rate(drive, p.a_I, p.b_I, p.d_I)
    return S_E, bisect(lambda S: S - gain * rate(drive - S, p.a_I, p.b_I, p.d_I), 0 * most, most), I_E


# a search for the critical coupling asks for the same point at each coupling; an assignment is code of studies of this
# model alone, a decorator of all (statements.py)
point_at_rate = remember_last(find_point_at_rate)


def balance(weights, p, rate_E):
    """J_I [nA] at which the excitatory populations fire at rate_E [Hz], (n_nodes,), and the fixed point."""
    S_E, S_I, I_E = point_at_rate(p._replace(G=0.0, J_I=0.0), rate_E)  # which follows from neither
    J_I = (p.W_E * p.I0 + p.J_N * (p.w_EE * S_E + p.G * (weights @ S_E)) - I_E) / S_I
    n = np.count_nonzero(J_I <= 0)
    reason = f"J_I is not positive in {n} nodes: without inhibition they fire below {np.max(rate_E):g} Hz" if n else ""
    return Solution(J_I, {"S_E": S_E, "S_I": S_I}, reason)


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
        "w_EE": Parameter(1.4, "1", "excitation of the excitatory population"),
        "w_EI": Parameter(1.0, "1", "excitation of the inhibitory population"),
        "G": Parameter(1.0, "1", "global coupling"),
        "sigma": Parameter(0.01, "1/sqrt(ms)", "noise"),
    },
    sends=("S_E",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"S_E": excitation, "S_I": inhibition, "rate_E": excitatory_rate, "bold_input": excitation},
    time_scale=lambda p: p.tau_I,
    derived={
        "rate_E": Derived("J_I", "Hz", "excitatory rate that feedback inhibition J_I keeps", balance, longest_dt=5.0),
    },
    reference="Deco et al. 2014, doi:10.1523/JNEUROSCI.5068-13.2014",
    largest_dt={"heun": 1.0, "euler": 0.5},
    defaults={"dt": 1.0, "integrator": "heun"},
    units={"rate_E": "Hz"},
)
