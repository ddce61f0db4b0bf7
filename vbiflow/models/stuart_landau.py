"""Stuart-Landau oscillators with conduction delays, for MEG: the equations of the Hopf model at 40 Hz.

    Z_i' = Z_i (a + i omega tau - |Z_i|^2) / tau + G / tau sum_j W_ij (Z_j(t - L_ij / speed) - Z_i(t)),    Z = x + i y

with noise of `sigma` on x and y. tau = 1 s makes a and G the numbers that the literature gives in 1/s. The cubic term
stays, where one of the sources drops it; for a > 0 the radius of an isolated node is sqrt(a). The code of Ziaeemehr et
al. (2025, doi:10.7554/eLife.106194) takes Euler's scheme at dt = 0.1 ms, which adds omega^2 dt / 2 = 3.2 /s to the
growth rate a / tau = -5 /s: 63 % of the damping is lost. Heun's adds omega^4 dt^3 / 8 = 0.0005 /s.
"""

from dataclasses import replace

from vbiflow.models import hopf
from vbiflow.models.maths import pi
from vbiflow.models.model import Parameter

MODEL = replace(
    hopf.MODEL,
    name="stuart_landau",
    title="Stuart-Landau with delays",
    parameters=hopf.MODEL.parameters
    | {
        "a": Parameter(-5.0, "1", "distance to the bifurcation"),
        "omega": Parameter(2 * pi * 0.04, "1/ms", "angular frequency"),
        "G": Parameter(350.0, "1", "global coupling"),
        "sigma": Parameter(3.2e-6, "1/sqrt(ms)", "noise"),
    },
    reference="Cabral et al. 2022, doi:10.1038/s42005-022-00950-y",
    largest_dt={"heun": 0.4, "euler": 0.005},
    defaults={"dt": 0.1, "integrator": "heun"},
)
