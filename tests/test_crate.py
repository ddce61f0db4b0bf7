"""Provenance of results, and the RO-Crate of them: every reference leads somewhere, every file is as it is told."""

import json

import numpy as np
import pytest

from vbiflow.crate import collect_provenance, crate_text
from vbiflow.datasets import file_digest
from vbiflow.io import Quantity, write

TERMS = """
about actionStatus conformsTo contentSize datePublished description encodingFormat endTime hasPart identifier instrument
license mainEntity mentions name object programmingLanguage result url version sha256
"""
"""Keys that the contexts define: the last the one of Workflow Run RO-Crate, all others that of RO-Crate 1.1."""
SOURCE = {"name": "some-data", "licence": "CC-BY-4.0", "notice": "Thank them.", "citation": "Doe 2020"}


@pytest.fixture
def crate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "one"
    (folder / "workflow").mkdir(parents=True)
    (folder / "workflow" / "Snakefile").write_text("rule all:\n")
    (folder / "report.html").write_text("<p>")
    made = {"study": "one", "rule": "observe", "seed": 1, "code": "abc", "config_hash": "def", "sources": [SOURCE]}
    quantity = Quantity(np.arange(3.0), "1", ("feature",))
    write(folder / "x_o.h5", {"x": quantity}, made | {"versions": {"vbiflow": "0.1.0"}})
    (tmp_path / "weights.csv").write_text("0,1\n1,0\n")
    outputs = [folder / "report.html", folder / "x_o.h5"]
    found = collect_provenance(outputs, "one", {"title": "A title", "seed": 1})
    text = crate_text(folder, found, ["weights.csv", "not/there.csv"], outputs)
    return folder, found, json.loads(text)


def test_provenance_tells_code_versions_and_licences(crate):
    _, found, _ = crate
    assert found["rules"] == {"observe": {"code": "abc", "versions": {"vbiflow": "0.1.0"}}}
    assert found["sources"] == [SOURCE] and found["settings"]["seed"] == 1


def test_every_reference_of_the_crate_leads_somewhere(crate):
    _, _, content = crate
    entities = {entity["@id"]: entity for entity in content["@graph"]}
    assert len(entities) == len(content["@graph"])

    def references(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if value.keys() == {"@id"} else references(list(value.values()))
        elif isinstance(value, list):
            for one in value:
                yield from references(one)

    outside = {
        one for one in references([list(entity.values()) for entity in entities.values()]) if one not in entities
    }
    assert all(one.startswith("http") for one in outside), outside
    run = entities["#run"]
    assert entities[run["instrument"]["@id"]]["@type"][-1] == "ComputationalWorkflow"
    assert [one["@id"] for one in run["object"]] == ["#input/weights.csv"]
    assert any(entity.get("license") == "CC-BY-4.0" for entity in entities.values())


def test_files_of_the_crate_are_there_and_as_told(crate):
    folder, _, content = crate
    files = [entity for entity in content["@graph"] if "File" in entity["@type"]]
    assert len(files) == 3
    for entity in files:
        assert (folder / entity["@id"]).is_file()
        assert entity.get("sha256") in (None, file_digest(folder / entity["@id"]))
    parts = {one["@id"] for one in next(one for one in content["@graph"] if one["@id"] == "./")["hasPart"]}
    assert parts == {entity["@id"] for entity in files}


def test_every_key_of_the_crate_is_defined_by_its_context(crate):
    """A validator refuses any other key: roc-validator 0.13 passes all required checks of Workflow Run Crate 0.5."""
    _, _, content = crate
    own = {term for part in content["@context"] if isinstance(part, dict) for term in part}
    keys = {key for entity in content["@graph"] for key in entity if not key.startswith("@")}
    known = set(TERMS.split())
    assert not known & own and keys <= known | own
