"""Synthetic results, as realistic as a figure needs: 80 regions, 1 200 volumes, posteriors inside their prior."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vbiflow.features.scores import SCORES

NETWORKS = ("frontal", "limbic", "occipital", "parietal", "subcortical", "temporal")


def regions(n: int = 80) -> dict[str, list[str]]:
    """Left and right interleaved, as in AAL2."""
    networks = [NETWORKS[k * len(NETWORKS) // n] for k in range(n)]
    labels = [f"{networks[k].capitalize()}_Sup_{k // 2}_{'LR'[k % 2]}" for k in range(n)]
    return {"labels": labels, "hemispheres": ["LR"[k % 2] for k in range(n)], "networks": networks}


def bold(rng: np.random.Generator, mixing: float, n: int = 80, n_times: int = 1200) -> np.ndarray:
    """Autocorrelated signals with shared modes."""
    kernel = np.exp(-0.5 * (np.arange(-20, 21) / 6) ** 2)
    white = rng.standard_normal((n + 5, n_times + 40))
    smooth = np.array([np.convolve(row, kernel, "valid") for row in white])
    loading = np.random.default_rng(7).standard_normal((n, 5)) + 0.8
    return mixing * loading @ smooth[:5] + smooth[5:]


def electrodes(rng: np.random.Generator, n: int = 40) -> dict[str, Any]:
    """Spectra [V^2/Hz] of electrodes spread over the upper half of a head, alpha at the back."""
    turn, height = 2.4 * np.arange(n), np.linspace(0.0, 0.98, n)
    flat = np.sqrt(1 - height**2)
    places = 95.0 * np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1)
    frequencies = np.arange(1.0, 45.0, 0.5)
    alpha = np.exp(-0.5 * ((frequencies - 10) / 1.5) ** 2) * (places[:, 1:2] < 0)
    spectra = [1e-12 * (10 / frequencies + 30 * alpha) * rng.uniform(0.7, 1.4, (n, 1)) for _ in range(2)]
    return {
        "observed": spectra[0], "predicted": spectra[1], "frequencies": frequencies, "positions": list(places),
        "names": [f"E{k + 1}" for k in range(n)],
    }  # fmt: skip


def fcd_of(ts: np.ndarray, width: int = 83, step: int = 6) -> np.ndarray:
    upper = np.triu_indices(len(ts), 1)
    starts = range(0, ts.shape[1] - width + 1, step)
    return np.corrcoef([np.corrcoef(ts[:, start : start + width])[upper] for start in starts])


def tables(rng: np.random.Generator, n_parameters: int) -> dict[str, Any]:
    """Prior quantiles, held-out truths, estimates and samples of 4 named parameters, or of G and one eta a region."""
    if n_parameters <= 4:
        names = ["G", "w", "I", "sigma"][:n_parameters]
        lower, upper = np.array([1, 0, 0, 0.0005])[:n_parameters], np.array([10, 1, 0.5, 0.01])[:n_parameters]
    else:
        names = ["G"] + [f"eta[{label}]" for label in regions(n_parameters - 1)["labels"]]
        lower, upper = np.r_[0, np.full(n_parameters - 1, -6.0)], np.r_[1, np.full(n_parameters - 1, -3.5)]
    width = upper - lower
    theta = lower + width * rng.random((200, n_parameters))
    sd = width * (0.06 + 0.15 * rng.random(n_parameters)) * np.ones_like(theta)
    mean = np.clip(theta + sd * rng.standard_normal(theta.shape), lower, upper)
    root = np.linalg.cholesky(0.5 * np.eye(n_parameters) + 0.5)
    normal = rng.standard_normal((4000, n_parameters)) @ root.T
    samples = lower + width / (1 + np.exp(-0.6 * normal - np.linspace(-1.5, 1.5, n_parameters)))
    levels = np.linspace(0.0005, 0.9995, 400)[:, None]
    return {
        "names": names, "units": {"I": "nA", "sigma": "nA"}, "prior": lower + width * levels, "samples": samples,
        "mode": np.median(samples, axis=0), "theta": theta, "mean": mean, "sd": sd, "z": (mean - theta) / sd,
        "shrinkage": 1 - (sd * rng.uniform(0.8, 1.2, sd.shape) / (width / np.sqrt(12))) ** 2,
        "ranks": rng.integers(0, 501, theta.shape),
        "truth": theta[0],
    }  # fmt: skip


def posteriors(rng: np.random.Generator, table: dict[str, Any], n: int = 14) -> dict[str, Any]:
    """Statistics of a cohort's posteriors; the second subject is left out."""
    parameters = {}
    for k, name in enumerate(table["names"]):
        low, high = table["prior"][0, k], table["prior"][-1, k]
        middle = low + (high - low) * rng.beta(4, 5, n)
        spread = 0.1 * (high - low) * rng.uniform(0.5, 1.5, (2, n))
        values = {"median": middle, "q05": middle - spread[0], "q95": middle + spread[1]}
        parameters[name] = {key: np.where(np.arange(n) == 1, np.nan, one) for key, one in values.items()}
    verdicts = ["trusted" if k % 3 else "not trusted" for k in range(n)]
    verdicts[1] = "left out"
    return {
        "subjects": [f"sub-{k:02d}" for k in range(n)], "verdicts": verdicts, "parameters": parameters,
        "units": table["units"],
    }  # fmt: skip


def build(n_parameters: int = 4, seed: int = 3) -> dict[str, dict[str, Any]]:
    """Arguments of every figure, by its name."""
    rng = np.random.default_rng(seed)
    place = regions()
    centres = rng.uniform(-70, 70, (80, 3))
    lengths = 1.4 * np.linalg.norm(centres[:, None] - centres[None], axis=-1)
    weights = np.exp(-lengths / 25 + rng.normal(0, 1.2, lengths.shape)) * (rng.random(lengths.shape) < 0.8)
    weights = np.triu(weights, 1) + np.triu(weights, 1).T
    observed, predicted = bold(rng, 0.35), bold(rng, 0.25)
    t = tables(rng, n_parameters)
    pick = lambda *keys: {key: t[key] for key in keys}  # noqa: E731
    level = np.linspace(0, 1, 21)
    epochs = np.arange(90)
    fcds = fcd_of(observed), fcd_of(predicted)
    values = [matrix[np.triu_indices(len(matrix), 14)] for matrix in fcds]
    names = (
        [f"fc.quantile.{k}" for k in range(12)] + [f"fcd.quantile.{k}" for k in range(12)] + ["fcd.std", "fc.homotopic"]
    )
    x = rng.standard_normal((500, len(names))) * rng.uniform(0.1, 2, len(names))
    kinds = ("fc", "fcd", "variance", "psd")
    worth = {
        kind: {
            "log_prob": 3.0, "loss": 0.3 * k, "loss_se": 0.05, "error": dict.fromkeys(t["names"], 0.2 + 0.1 * k),
            "shrinkage": dict(zip(t["names"], 0.9 - rng.uniform(0, 0.2 * k + 0.01, n_parameters), strict=True)),
        }
        for k, kind in enumerate(("all", *kinds))
    }  # fmt: skip
    people = {
        person: {
            name: {kind: [float(m + s * rng.normal()), float(s)] for kind in worth}
            for name, m, s in zip(t["names"], t["mean"][0], t["sd"][0], strict=True)
        }
        for person in ("alice", "bob")
    }
    shown = [f"{kind}.quantile[0.{k}5]" for kind in kinds for k in range(10)]
    drawn_shares = lambda scale: {name: float(scale * rng.beta(1, 3)) for name in t["names"]}  # noqa: E731
    tarp = np.clip(level + 0.02 * np.sin(6 * level), 0, 1)
    wide = np.clip(level[:, None] + 0.1 * rng.normal(0, 1, n_parameters) * level[:, None] * (1 - level[:, None]), 0, 1)
    everybody = posteriors(rng, t)
    mapped = tables(np.random.default_rng(seed), 81)
    inner = np.quantile(t["prior"], [0.05, 0.95], axis=0)
    return {
        "cohort": everybody | {"prior": dict(zip(t["names"], map(tuple, inner.T), strict=True))},
        "covariates": everybody | {
            "columns": {
                "age": [f"{20 + 3 * k}" for k in range(14)],
                "group": ["patient" if k % 2 else "control" for k in range(14)],
                "site": [f"town {k}" for k in range(14)],
            },
        },
        "cohort_pairs": pick("prior", "names", "units") | {
            "samples": {f"sub-{k}": t["prior"][0] + (t["samples"] - t["prior"][0]) * (1 - 0.3 * k) for k in range(3)},
            "truths": {f"sub-{k}": t["prior"][0] + (t["truth"] - t["prior"][0]) * (1 - 0.3 * k) for k in range(3)},
        },
        "connectome": {"weights": weights, "tract_lengths": lengths, **place, "centres": centres},
        "training": {
            "train_loss": (6 * np.exp(-epochs / 12) - 2 - epochs / 200).tolist(),
            "validation_loss": (6 * np.exp(-epochs / 12) - 2 + (epochs - 60) ** 2 / 6e3).tolist(),
        },
        "recovery": pick("theta", "mean", "sd", "z", "shrinkage", "names", "units"),
        "noise_levels": pick("theta", "z", "shrinkage", "names", "units") | {"noises": t["names"][-1:]},
        "calibration": pick("ranks", "names") | {
            "n_samples": 500, "level": level, "coverage": wide, "tarp_level": level, "tarp_coverage": tarp,
        },
        "features": {
            "informs": {name: drawn_shares(1) for name in [*shown, "not.shown"]}, "explained": drawn_shares(1),
            "explained_by": {kind: drawn_shares(0.8) for kind in kinds}, "shown": shown,
            "correlation": np.corrcoef(rng.normal(size=(40, 60)) + rng.normal(size=(4, 60)).repeat(10, axis=0)),
            "outside": {"alice": {shown[3]: "above"}, "bob": {}},
        },
        "ablation": {"features": worth, "subjects": people, "units": t["units"]},
        "scatter": {
            "theta": t["theta"][:, [0, 0, -1]], "x": t["theta"][:, [0, 0, -1]] ** 2, "units": t["units"],
            "pairs": [(t["names"][k], one, 0.4) for k, one in ((0, "fc.mean"), (0, "variance[a]"), (-1, "fcd.sd"))],
            "feature_units": ["1", "mV^2", "1"],
        },
        "plane": {
            "theta": t["theta"][:, [0, -1]], "units": t["units"],
            "truths": dict(zip(("alice", "bob", "carol"), t["theta"][:3, [0, -1]], strict=True)),
            "x": np.stack([t["theta"][:, 0], 10 ** rng.uniform(-9, -5, 200), rng.uniform(8, 12, 200)], axis=1),
            "features": {
                name: {t["names"][0]: 0.9 - 0.3 * k, t["names"][-1]: 0.1 * k}
                for k, name in enumerate(("fc.mean", "variance", "psd.centroid"))
            },
            "feature_units": ["1", "1", "Hz"],
        },
        "invalid": pick("names", "units") | {"theta": t["theta"],
 "valid": t["theta"][:, 0] < np.quantile(t["theta"][:, 0], 0.8)},
        "series": {"observed": observed, "fs": 1 / 0.72, "predicted": predicted, "predicted_fs": 1 / 0.72, **place},
        "fc": {
            "observed": np.corrcoef(observed), "predicted": np.corrcoef(predicted),
            "values": np.corrcoef(predicted)[np.triu_indices(80, 1)],
            "hemispheres": place["hemispheres"], "networks": place["networks"],
        },
        "fcd": {
            "observed": fcds[0], "predicted": fcds[1], "observed_values": values[0], "predicted_values": values[1],
            "window": 60.0, "step": 4.3,
        },
        "marginals": pick("samples", "mode", "prior", "names", "units", "truth"),
        "pairs": pick("samples", "mode", "prior", "names", "units", "truth"),
        "estimators": pick("prior", "names", "units", "truth") | {
            "samples": {"maf": t["samples"], "nsf": t["mode"] + 1.4 * (t["samples"] - t["mode"])},
        },
        "brain": {key: mapped[key] for key in ("samples", "names", "units", "truth")} | {
            "spread": mapped["prior"].std(axis=0), "labels": place["labels"], "centres": centres,
        },
        "baselines": {
            "methods": {
                name: {
                    "rmse": rng.uniform(0.3, 0.9, n_parameters), "seconds": 10.0 ** (3 - k),
                    "coverage_90": None if name == "differential_evolution" else rng.uniform(0.7, 1, n_parameters),
                }
                for k, name in enumerate(("maf", "nsf", "rejection_abc", "ridge", "differential_evolution"))
            },
            "parameters": t["names"], "n_simulations": 2000,
        },
        "learning_curve": {
            "estimators": ["maf", "nsf"], "n_simulations": np.array([100, 300, 1000]), "parameters": t["names"],
            "rmse": rng.uniform(0.8, 1, (2, 3, n_parameters)) / np.array([1, 2, 3])[:, None],
            "shrinkage": np.linspace(0, 0.9, 6 * n_parameters).reshape(2, 3, n_parameters),
            "coverage_90": rng.uniform(0.8, 0.95, (2, 3, n_parameters)), "log_prob": rng.uniform(0, 3, (2, 3)),
        },
        "sensitivity": {
            "eigenvalues": np.geomspace(300, 0.8, n_parameters), "names": t["names"],
            "eigenvectors": np.linalg.qr(rng.standard_normal((n_parameters, n_parameters)))[0],
        },
        "rounds": pick("names", "units") | {
            "samples": [
                t["samples"].mean(axis=0) + (t["samples"] - t["samples"].mean(axis=0)) / k for k in (1, 2, 3)
            ],
            "shares": [0.2, 0.05], "bounds": (t["prior"][0], t["prior"][-1]),
        },
        "robust": pick("samples", "names") | {
            "robust": 1.5 * t["samples"], "features": shown, "wrong": np.linspace(0.3, 1, len(shown)),
            "shift": np.linspace(0.1, -4, len(shown)),
        },
        "local_c2st": pick("names", "units") | {
            "theta": t["theta"], "score": 0.3 * np.tanh(rng.standard_normal(len(t["theta"]))),
            "null": rng.uniform(0.001, 0.003, 20), "statistic": 0.004, "p_value": 0.05,
        },
        "comparison": {
            "scores": {
                study: {"fc_correlation": rng.normal(mean, 0.05, 100), "fcd_ks": rng.beta(4, 9, 100)}
                for study, mean in (("wong_wang", 0.5), ("montbrio", 0.4))
            },
            "ranking": [
                {"study": "wong_wang", "fc_correlation": 0.5, "fcd_ks": 0.3, "merit": 0.2, "probability_best": 0.8},
                {"study": "montbrio", "fc_correlation": 0.4, "fcd_ks": 0.3, "merit": 0.1, "probability_best": 0.2},
            ],
        },
        "amortisation": {
            "people": {
                name: {
                    "parameters": t["names"],
                    **{
                        role: {
                            "rmse": rng.uniform(0.3, 0.6, n_parameters), "log_prob": rng.uniform(2, 3),
                            "coverage_90": rng.uniform(0.85, 0.95, n_parameters),
                            "shrinkage": rng.uniform(0, 1, n_parameters),
                        }
                        for role in ("own", "other")
                    },
                    "posterior": {
                        role: {key: dict(zip(("q05", "median", "q95"), sorted(rng.normal(size=3)), strict=True))
                               for key in t["names"]}
                        for role in ("own", "other")
                    },
                }
                for name in people
            },
            "studies": ["own", "others"], "units": t["units"],
        },
        "psd": {
            "observed": rng.chisquare(4, (12, 40)), "predicted": rng.chisquare(4, (12, 40)),
            "mean": rng.chisquare(8, (100, 40)), "frequencies": 0.5 * np.arange(1, 41),
            "labels": place["labels"][:12], "name": "eeg", "unit": "V^2/Hz", "nodes": "sensors",
        },
        "topography": electrodes(rng),
        "exact": {
            "samples": t["samples"][:, -2:], "reference": t["samples"][:, -2:] * 1.01, "names": t["names"][-2:],
            "truth": t["truth"][-2:], "units": t["units"],
        },
        "regional_features": {
            "x": 10 ** rng.normal(0, 1, (300, 160)), "x_o": 10 ** rng.normal(0, 0.3, 160),
            "predicted": 10 ** rng.normal(0, 0.3, (60, 160)), "labels": place["labels"], "n_features": 3,
            "names": [f"{stem}[{label}]" for stem in ("area", "psd.power[alpha]") for label in place["labels"]],
            "units": ["V s"] * 80 + ["V^2"] * 80,
        },
        "predictive": {
            "scores": {
                "fc_correlation": rng.normal(0.42, 0.04, 100), "fcd_ks": rng.beta(4, 9, 100),
                "floor_fc_correlation": rng.normal(0.86, 0.02, 100), "floor_fcd_ks": rng.beta(3, 14, 100),
                "psd_distance": rng.beta(4, 9, 100), "floor_psd_distance": rng.beta(3, 14, 100),
            },
            "labels": {name: SCORES[name].label for name in ("fc_correlation", "fcd_ks", "psd_distance")},
            "bounds": {name: SCORES[name].bounds for name in ("fc_correlation", "fcd_ks", "psd_distance")},
        },
        "misspecification": {
            "x": x, "x_o": np.r_[x[0, :-1] * 0.5, 9 * x[:, -1].std()], "names": names, "predicted": 0.4 * x[:100],
        },
    }  # fmt: skip


@pytest.fixture(scope="session")
def arguments() -> Callable[[int], dict[str, dict[str, Any]]]:
    """Arguments of every figure for a number of inferred parameters, built once each."""
    built: dict[int, dict[str, dict[str, Any]]] = {}

    def of(n_parameters: int) -> dict[str, dict[str, Any]]:
        if n_parameters not in built:
            built[n_parameters] = build(n_parameters)
        return built[n_parameters]

    return of
