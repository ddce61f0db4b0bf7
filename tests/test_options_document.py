"""Every key and every member of a registry is documented, and editors check studies by the same schema."""

import json
import re

import pytest
from jsonschema import Draft7Validator

from vbiflow.connectome import CHECKS, NORMALISATIONS
from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.features.scores import SCORES
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


def test_members_of_the_registries_stand_in_the_page():
    for name in [*THRESHOLDS, *SCORES, *NORMALISATIONS, *CHECKS]:
        assert f"| `{name}` |" in TEXT, name


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
