"""Two damped oscillators in each region, alpha and beta, driven by noise: the spectra of M/EEG by their two peaks.

    z' = (-gamma + i omega) z + gamma G sum_j W_ij z_j,    gamma = pi width,    omega = 2 pi f,

for z = x_alpha + i y_alpha and z = x_beta + i y_beta, with noise of `sigma` on all four. The signal is x_alpha + beta
x_beta. Alone a region has peaks at f of full width `width` at half their height; on an eigenvector of W with eigenvalue
lambda the width is width (1 - G lambda), which is zero at the critical coupling G = 1 / lambda_max.
"""

from vbiflow.models.maths import pi
from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    """What a node sends: the real and imaginary parts of both oscillations [1]."""
    return y.x_alpha, y.y_alpha, y.x_beta, y.y_beta


def dfun(y, c, p):
    """Derivatives of the real and imaginary parts of both oscillations [1/ms]."""
    alpha = pi * p.width_alpha
    beta = pi * p.width_beta
    return (
        alpha * (p.G * c.x_alpha - y.x_alpha) - 2 * pi * p.f_alpha * y.y_alpha,
        alpha * (p.G * c.y_alpha - y.y_alpha) + 2 * pi * p.f_alpha * y.x_alpha,
        beta * (p.G * c.x_beta - y.x_beta) - 2 * pi * p.f_beta * y.y_beta,
        beta * (p.G * c.y_beta - y.y_beta) + 2 * pi * p.f_beta * y.x_beta,
    )


def eeg(y, p):
    """Both oscillations, x_alpha + beta x_beta [1]."""
    return y.x_alpha + p.beta * y.x_beta


NAMES = ("x_alpha", "y_alpha", "x_beta", "y_beta")

MODEL = Model(
    name="two_oscillators",
    title="Alpha and beta oscillators",
    states={name: State(initial=(-0.5, 0.5), valid=(-1e6, 1e6), noise=1.0) for name in NAMES},
    parameters={
        "f_alpha": Parameter(0.01, "1/ms", "frequency of the alpha peak; 0.01 is 10 Hz"),
        "width_alpha": Parameter(0.003, "1/ms", "full width of the alpha peak at half its height"),
        "f_beta": Parameter(0.02, "1/ms", "frequency of the beta peak"),
        "width_beta": Parameter(0.008, "1/ms", "full width of the beta peak at half its height"),
        "beta": Parameter(0.5, "1", "amplitude of beta in the signal, relative to alpha"),
        "G": Parameter(0.3, "1", "global coupling"),
        "sigma": Parameter(0.1, "1/sqrt(ms)", "noise"),
    },
    sends=NAMES,
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"eeg": eeg},
    time_scale=lambda p: 1 / (2 * pi * p.f_beta),
    reference="Deco et al. 2017, doi:10.1038/s41598-017-03073-5",
    largest_dt={"heun": 2.0, "euler": 0.1},
    defaults={"dt": 1.0, "integrator": "heun"},
)
