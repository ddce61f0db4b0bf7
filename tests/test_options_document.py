"""Every key and every member of a registry is documented, and editors check studies by the same schema."""

import json
import re

import pytest
from jsonschema import Draft7Validator

from vbiflow.connectome import CHECKS, NORMALISATIONS
from vbiflow.connectome.tractogram import SCALES
from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.diagnostics.grade import GRADES
from vbiflow.engine.derived import derived_quantities
from vbiflow.engine.integrators import INTEGRATORS
from vbiflow.engine.stimulus import COURSES
from vbiflow.estimator_options import EMBEDDING_OPTIONS, ESTIMATOR_OPTIONS
from vbiflow.features import FEATURES, SETS
from vbiflow.features.preparation import STEPS
from vbiflow.features.scores import SCORES
from vbiflow.marginals import FAMILIES
from vbiflow.models import MODELS
from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.option_tables import properties
from vbiflow.provenance import ROOT
from vbiflow.study.document import read_document
from vbiflow.study.schema import validator

KEYS = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
TEXT = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
STUDIES = sorted((ROOT / "config" / "studies").glob("*.yaml"))


def test_every_key_has_a_meaning_and_stands_in_the_page():
    found = list(properties(validator("study").schema))
    assert len(found) > 120
    for path, entry in found:
        name = ".".join(path)
        assert entry.get("description"), f"{name} has no description in config/schemas/study.schema.yaml"
        assert "<name>" in name or f"| `{name}` |" in KEYS, name


REGISTRIES = {
    "thresholds": THRESHOLDS, "grades": GRADES[1:], "scores": SCORES, "normalisations": NORMALISATIONS,
    "checks": CHECKS, "streamlines": SCALES, "integrators": INTEGRATORS, "courses": COURSES, "preparation": STEPS,
    "families": FAMILIES, "estimators": ESTIMATOR_OPTIONS, "embeddings": EMBEDDING_OPTIONS,
}  # fmt: skip


@pytest.mark.parametrize("registry", REGISTRIES)
def test_members_of_the_registries_stand_in_the_page(registry):
    for name in REGISTRIES[registry]:
        row = re.search(rf"^\| `{name}` \|(.*)\|$", TEXT, re.MULTILINE)
        assert row and (row[1].strip(" |") or name == "none"), f"{name}: what it is stands nowhere"


def test_thresholds_say_which_numbers_they_may_be():
    for name in THRESHOLDS:
        assert re.search(rf"^\| `{name}` \| [\d.]+ \| number from 0( to \d)? \| \w.+ \|$", TEXT, re.MULTILINE), name


def test_accepted_findings_stand_in_the_page():
    for block, name in (("recording", "homotopic"), ("simulation", "dt")):
        assert f"`{block}: {{accept: [{name}]}}`" in TEXT


def test_every_parameter_of_every_model_stands_in_its_page():
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### .*?\(`(\w+)`\)\n(.*?)(?=^### |^<!-- end)", text, re.MULTILINE | re.DOTALL))
    observed = {one.model.name: one.model for one in OBSERVATION_MODELS.values()}
    assert sections.keys() == {*MODELS, *observed}
    for name, model in {**MODELS, **observed}.items():
        for key, parameter in model.parameters.items():
            expected = f"| `{key}` | {parameter.value:.6g} | {parameter.unit} | {parameter.meaning} |"
            assert parameter.unit and parameter.meaning and expected in sections[name], f"{name}: {key}"
        for key in derived_quantities(model) if name in MODELS else ():
            assert f"| `{key}` | |" in sections[name], f"{name}: {key}"
    for name in MODELS:
        assert f"| `{name}` |" in text


def test_every_feature_and_set_stands_in_its_page():
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    for name in [*FEATURES, *SETS]:
        assert re.search(rf"^\| `{name}` \|", text, re.MULTILINE), name


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_studies_name_the_schema_and_pass_it_in_editors(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = path.parent / re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)[1]
    checker = Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))
    checker.check_schema(checker.schema)
    content = read_document(path, path.name)
    assert not [error.message for error in checker.iter_errors(content)]
    assert list(checker.iter_errors(content | {"modle": "linear"}))
    assert list(checker.iter_errors(content | {"features": [{"fcd": {"windw": 60}}]}))
