"""A second haemodynamic model is one file: here it is, and engines, measurement noise and studies know it."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from vbiflow.engine import cpu, reference, simulate
from vbiflow.engine.plan import make_plan
from vbiflow.models import Model, Parameter, State
from vbiflow.observation import OBSERVATION_MODELS, ObservationModel, balloon
from vbiflow.provenance import ROOT
from vbiflow.study import load_study
from vbiflow.study.schema import validator

W = np.array([[0, 1, 2], [3, 0, 1], [0, 2, 0]]) / 4


def dfun(y, c, p):
    return p.efficacy * c.x - p.kappa * y.s - p.gamma * (y.f - 1), y.s


def send(y, p):
    return (y.s,)


def flow(y, p):
    return y.f


FLOW = ObservationModel(
    Model(
        name="flow",
        title="Cerebral blood flow",
        states={"s": State((0.0, 0.0)), "f": State((1.0, 1.0))},
        parameters={
            "efficacy": Parameter(1e-6, "1/ms^2", "neural efficacy"),
            "kappa": Parameter(0.65e-3, "1/ms", "decay of the vasodilatory signal"),
            "gamma": Parameter(0.41e-6, "1/ms^2", "autoregulation by flow"),
        },
        sends=("x",),
        coupling="linear",
        send=send,
        dfun=dfun,
        signals={"flow": flow},
        time_scale=lambda p: 1 / p.kappa,
        reference="Friston et al. 2003, doi:10.1016/S1053-8119(03)00202-7",
    ),
    "bold_input",
    {"friston2003": {}},
    default="friston2003",
    longest_step=100.0,
)


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(OBSERVATION_MODELS, FLOW.signal, FLOW)


def plan(**options):
    given = {"n_simulations": 3, "duration": 4320.0, "transient": 60.0, "dt": 10.0, "seed": 1, "start": 0, "stream": 0}
    settings = given | {"signals": {"S": {"period": 100.0}}, "initial": None, "precision": "float64"} | options
    return make_plan("wong_wang", W, {"G": [[1.0], [2.0], [3.0]]}, **settings)


def test_two_observation_models_agree_with_the_reference(registered):
    both = plan(bold={"tr": 720}, flow={"tr": 240, "parameters": {"efficacy": 2e-6}})
    assert [(observer.name, observer.step, observer.every) for observer in both.observers] == [
        ("bold", 6, 72),
        ("flow", 6, 24),
    ]
    (fast, _), (slow, _) = cpu.run(both), reference.run(both)
    assert {name: series.shape for name, series in fast.items()} == {
        "S": (3, 3, 43),
        "bold": (3, 3, 6),
        "flow": (3, 3, 18),
    }
    for name, series in slow.items():
        np.testing.assert_allclose(fast[name], series, rtol=1e-9, err_msg=name)
    alone = cpu.run(plan(bold={"tr": 720}))[0]["bold"]
    assert fast["bold"].tobytes() == alone.tobytes()


def test_observation_models_have_measurement_noise_of_their_own(registered):
    run = {"n_simulations": 1, "duration": 36000.0, "transient": 720.0, "dt": 10.0, "seed": 1, "noise": 1e3}
    ts = simulate("wong_wang", W, {}, bold={"tr": 720}, flow={"tr": 720}, **run).ts
    assert abs(np.corrcoef(ts["bold"].ravel(), ts["flow"].ravel())[0, 1]) < 0.3
    assert ts["bold"].std() == pytest.approx(1e3, rel=0.2) and ts["flow"].std() == pytest.approx(1e3, rel=0.2)


def test_a_study_can_ask_for_it(registered, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    path = tmp_path / "config/studies/tiny.yaml"
    path.write_text(path.read_text().replace("bold: {tr: 720}", "flow: {tr: 240}"))

    validator.cache_clear()
    study = load_study("tiny", tmp_path / "config")
    assert study.signal == "flow" and study.interval == 240
    validator.cache_clear()


def test_unknown_observation_models_and_misspelt_arguments_are_told():
    with pytest.raises(ValueError, match="unknown argument or observation model 'bolt'; choose from bold"):
        plan(bolt={"tr": 720})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sets": {"friston2003": {"kapa": 1.0}}}, "set friston2003 holds 'kapa', no parameter of it"),
        ({"default": "other"}, "default 'other' is none of"),
        ({"model": replace(balloon.MODEL, signals={"a": balloon.bold, "b": balloon.bold})}, "it has the signals a, b"),
    ],
)
def test_an_observation_model_is_checked_when_it_is_made(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(FLOW, **changes)
