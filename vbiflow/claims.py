"""The paper's claims, each with the study that it is tested on and the way to decide it.

References: Ziaeemehr et al. (2025) Virtual brain inference (VBI), doi:10.7554/eLife.106194.4
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vbiflow.case_results import Results
from vbiflow.decisions import (
    Decide,
    better_for_modes,
    classified,
    constants_worst,
    correlated,
    degraded,
    faster,
    few_suffice,
    likelier,
    more_sensitive,
    only_product,
    recovered,
    recovered_from,
    robust,
)

WORDS = {True: "confirmed", False: "refuted", None: "undecided"}


@dataclass(frozen=True)
class Claim:
    """What the paper says, the study that it is tested on, and how that decides it."""

    text: str
    study: str
    decide: Decide


def claim_row(claim: Claim, figure: str, results: Results) -> dict[str, Any]:
    """A claim's row of the table."""
    answer, numbers = claim.decide(results)
    return {
        "figure": figure,
        "claim": claim.text,
        "numbers": numbers,
        "held_out": results.diagnostics["n_test"],
        "verdict": WORDS[answer],
    }


ZONES = classified("eta", -3.65, -2.4, -1.6)
"""By the values that the virtual patient has; the paper prints no limits between them."""

CLAIMS: Sequence[Claim] = (
    Claim("The input P of every region is recovered", "wilson_cowan", recovered("P")),
    Claim("The coupling g_e is recovered", "wilson_cowan", recovered("g_e")),
    Claim("Without spatial information P is still told", "wilson_cowan_mean", recovered("P")),
    Claim("MAF trains 2 to 4 times faster than NSF", "wilson_cowan_mean", faster("nsf", "maf", 2, 4)),
    Claim("Without spatial information NSF is more accurate than MAF", "wilson_cowan_mean", likelier("nsf", "maf")),
    Claim("NSF is better for several modes", "wilson_cowan_mean", better_for_modes("nsf", "maf", "P")),
    Claim("C of every region is recovered", "jansen_rit", recovered("C")),
    Claim("G cannot be identified", "jansen_rit", recovered("G", wanted=False)),
    Claim("Without total power C is recovered worse", "jansen_rit_shape", degraded("C", "jansen_rit")),
    Claim("From power below 30 Hz alone C is recovered worse", "jansen_rit_power", degraded("C", "jansen_rit")),
    Claim("G is recovered", "stuart_landau", recovered("G")),
    Claim("The conduction speed is recovered", "stuart_landau", recovered("speed")),
    Claim("G and speed are correlated by 0.7", "stuart_landau", correlated("G", "speed", 0.7)),
    Claim("The posterior is more sensitive to speed than to G", "stuart_landau", more_sensitive("speed", "G")),
    Claim("The excitability eta of every region is recovered", "epileptor", recovered("eta")),
    Claim("Healthy, propagation and epileptogenic zone are told with 100 % accuracy", "epileptor", ZONES),
    Claim("G is recovered", "epileptor", recovered("G")),
    Claim("eta is recovered from total power alone", "epileptor_fast", recovered("eta")),
    Claim(
        "Below measurement noise of 0.3 G is recovered, here by an estimator that has learnt of noise",
        "epileptor_measurement_noise",
        robust("G", "noise", 0.3),
    ),
    Claim("Dynamical noise can be inferred", "epileptor_noise", recovered("sigma")),
    Claim("eta of every region is recovered from all features", "montbrio", recovered("eta")),
    Claim("G is recovered from all features", "montbrio", recovered("G")),
    Claim("FC and FCD alone do not tell eta", "montbrio_fc", recovered("eta", wanted=False)),
    Claim("FC and FCD tell G", "montbrio_coupling", recovered("G")),
    Claim("About 100 simulations suffice for G", "montbrio_coupling", few_suffice("G", 100)),
    Claim("MAF trains 2 to 4 times faster than NSF", "montbrio_coupling", faster("nsf", "maf", 2, 4)),
    Claim(
        "G is recovered up to noise of 0.45 on BOLD, here by an estimator that has learnt of noise",
        "montbrio_measurement_noise",
        robust("G", "noise", 0.45),
    ),
    Claim("Dynamical noise can be inferred", "montbrio_noise", recovered("sigma")),
    Claim("G is recovered", "wong_wang_maps", recovered("G")),
    Claim("c_w, c_I and c_sigma are recovered worst", "wong_wang_maps", constants_worst("w", "I", "sigma")),
    Claim("G and J are told as a product, not alone", "wong_wang_coupling", only_product("G", "J")),
    Claim("From 300 simulations g_e is recovered", "wilson_cowan_coupling", recovered_from(300, "g_e")),
    Claim("From 300 simulations G is not told", "jansen_rit_coupling", recovered_from(300, "G", wanted=False)),
    Claim("From 300 simulations G is recovered", "stuart_landau_coupling", recovered_from(300, "G")),
    Claim("From 300 simulations G is recovered", "epileptor_coupling", recovered_from(300, "G")),
    Claim("From 300 simulations G is recovered", "montbrio_coupling", recovered_from(300, "G")),
    Claim("From 300 simulations G is recovered", "wong_wang_global", recovered_from(300, "G")),
)
"""The paper's claims that the results of one study decide."""
