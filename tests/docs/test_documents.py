"""The documents in step with the repository: links, commands, keys, versions, pages of the site."""

import ast
import pkgutil
import re
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml
from pages import PAGES, ROOT, anchors, blocks, links, prose

import vbiflow
from vbiflow.__main__ import main
from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.diagnostics.verdict import SENTENCES
from vbiflow.estimator_options import OPTIONS
from vbiflow.figures.table import FIGURES
from vbiflow.study import load_study
from vbiflow.study.document import read_document
from vbiflow.study.schema import validator
from vbiflow.study.settings import DEFAULTS

NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
CONFIG = {"executor", "cluster-generic-submit-cmd", "cluster-generic-cancel-cmd"}
"""Keys of blocks that are a profile's, not a study's."""


class Lenient(yaml.SafeLoader):
    """mkdocs.yml without the tags that MkDocs resolves."""


def navigation(entries):
    """Pages of the site in its order."""
    for entry in entries:
        (value,) = entry.values()
        yield from navigation(value) if isinstance(value, list) else [value]


SITE = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=Lenient)


def elsewhere():
    """Pages that lie outside docs/, as docs/hooks.py says; it imports MkDocs, so it is read."""
    for node in ast.parse((ROOT / "docs/hooks.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "ELSEWHERE":
            return ast.literal_eval(node.value)


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_links_lead_to_files_and_headings(path):
    for link in links(path):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{path.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{path.name}: {link} is none of {sorted(anchors(target))}"


def test_no_page_holds_a_merge_that_was_not_resolved():
    assert not [path.name for path in PAGES if re.search("^(<{7}|={7}|>{7})", path.read_text(), re.MULTILINE)]


def test_no_placeholder_is_lost_as_html():
    """<name> outside of code is an unknown tag to Markdown, and vanishes."""
    for path in PAGES:
        text = re.sub(r"`[^`\n]*`|<!--.*?-->", "", prose(path), flags=re.DOTALL)
        assert not re.findall(r"<(?!/?(?:img|a|br)\b)[a-z_]+>", text), path.name


def test_every_page_stands_in_the_site_and_every_entry_is_a_page():
    pages = list(navigation(SITE["nav"]))
    assert len(pages) == len(set(pages))
    assert set(pages) == {path.name for path in (ROOT / "docs").glob("*.md")} | set(elsewhere().values())
    assert all((ROOT / source).is_file() for source in elsewhere())


def test_the_reference_names_every_part_of_the_library():
    shown = set(re.findall(r"^::: (\S+)$", (ROOT / "docs/reference.md").read_text(encoding="utf-8"), re.MULTILINE))
    parts = {f"vbiflow.{path.parent.name}" for path in (ROOT / "vbiflow").glob("*/__init__.py")}
    assert {".".join(name.split(".")[:2]) for name in shown} == parts - {"vbiflow.figures"} | {
        "vbiflow.prior",
        "vbiflow.io",
    }
    assert all(pkgutil.resolve_name(name) for name in shown)


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_commands_exist(path, capsys):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE):
        assert target in TARGETS, f"{path.name}: make {target}"
    for module in re.findall(r"python -m ((?:vbiflow|tests)\.[\w.]+)", text):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), f"{path.name}: python -m {module}"
    for command in {*re.findall(r"python -m vbiflow ([a-z]+)", text)}:
        with pytest.raises(SystemExit) as done:
            main([command, "--help"])
        assert done.value.code == 0, f"{path.name}: python -m vbiflow {command}"
        capsys.readouterr()
    for profile in re.findall(r"--workflow-profile (profiles/\w+)", text):
        assert (ROOT / profile / "config.yaml").is_file(), f"{path.name}: {profile}"


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_pieces_of_a_study_are_such(path, tmp_path):
    """YAML in the pages has keys, types and ranges that a study has; a piece may lack what a study needs."""
    checker = validator("study")
    for block in blocks(path):
        if block.language != "yaml":
            continue
        (tmp_path / "study.yaml").write_text(block.text)
        piece = read_document(tmp_path / "study.yaml", path.name)
        if piece.keys() & CONFIG:
            continue
        errors = [error for error in checker.iter_errors(piece) if error.validator != "required"]
        assert not errors, f"{path.name}: {[error.message for error in errors]} in\n{block.text}"


def test_the_inference_of_the_page_is_the_default():
    (block,) = (one for one in blocks(ROOT / "docs/inference.md") if "  patience:" in one.text)
    shown = yaml.safe_load(block.text)["inference"]
    assert shown.pop("n_simulations") and shown.pop("rounds") == DEFAULTS["inference"]["rounds"]
    assert shown == OPTIONS


def test_studies_and_scales_that_pages_name_exist():
    for path in PAGES:
        for study, scale in re.findall(r"\b([a-z_]+)@([a-z_]+)\b", path.read_text(encoding="utf-8")):
            if study not in ("my_study", "study", "name"):
                load_study(f"{study}@{scale}")


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_python_in_the_pages_is_python(path):
    for block in blocks(path):
        if block.language == "python" and "module vbiflow:" not in block.text and not block.text.startswith("    "):
            ast.parse(block.text)


def test_paths_of_the_repository_that_pages_name_exist():
    folders = (
        "vbiflow",
        "tests",
        "scripts",
        "rules",
        "resources/atlases",
        "resources/sensors",
        "envs",
        "config/schemas",
    )
    for path in PAGES:
        for name in re.findall(r"`([\w./-]+\.(?:py|yaml|smk|tsv|lock|rst))`", path.read_text(encoding="utf-8")):
            if name.startswith(folders) and "histograms" not in name and "spline_maf" not in name:
                assert (ROOT / name).exists(), f"{path.name}: {name}"


def test_versions_agree():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert vbiflow.__version__ == version == citation["version"]
    assert [name for name, _ in changes][:2] == ["Unreleased", version]
    assert changes[1][1] == citation["date-released"] == date.fromisoformat(citation["date-released"]).isoformat()


def test_the_citation_is_as_the_format_asks():
    """Keys and values that version 1.2.0 of the Citation File Format requires of software and of its references."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert citation["license"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]
    for work in (citation, citation["preferred-citation"], *citation["references"]):
        assert work["title"] and work["type"] in ("software", "article")
        assert all(author.keys() in ({"name"}, {"family-names", "given-names"}) for author in work["authors"])
        assert work is citation or re.fullmatch(r"10\.\d{4,9}/\S+", work["doi"])
    for text in (citation["message"], citation["abstract"], *citation["keywords"]):
        assert isinstance(text, str)


def test_the_lock_of_the_site_pins_all_that_its_group_asks_for():
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["docs"]
    lines = [line for line in (ROOT / "envs/docs.lock").read_text().splitlines() if line[:1] not in ("", "#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines) and len(set(lines)) == len(lines)
    pinned = {line.partition("==")[0].lower() for line in lines}
    assert {re.match(r"[\w-]+", one)[0] for one in group} <= pinned
    used = {"search": "mkdocs", "offline": "mkdocs-material", "mkdocstrings": "mkdocstrings-python"}
    assert {used[next(iter(one)) if isinstance(one, dict) else one] for one in SITE["plugins"]} <= pinned


def test_every_check_stands_in_the_page_on_distrust():
    text = (ROOT / "docs/not_trusted.md").read_text(encoding="utf-8")
    for name in [*SENTENCES, *(name for name in THRESHOLDS if name != "alpha")]:
        assert f"`{name}`" in text, name


def test_pictures_of_the_pages_are_small_and_shown():
    files = [path for path in (ROOT / "docs/figures").glob("*") if path.is_file()]
    shown = {(path.parent / link).resolve() for path in PAGES for link in links(path)}
    assert not [path.name for path in files if path.resolve() not in shown]
    assert sum(path.stat().st_size for path in files) < 1.5e6


def test_the_page_on_reports_names_every_figure():
    text = (ROOT / "docs/report.md").read_text(encoding="utf-8")
    assert not [name for name in FIGURES if f"`{name}`" not in text]


def test_the_environment_finds_the_library_from_every_folder(tmp_path, monkeypatch):
    """What `make` runs once its packages are there: a file that names this folder to Python."""
    command = re.search(r"python -c '(import os, site;.*)'$", MAKEFILE, re.MULTILINE)[1]
    monkeypatch.setattr("site.getsitepackages", lambda: [str(tmp_path)])
    monkeypatch.chdir(ROOT)
    exec(command, {})
    assert Path((tmp_path / "vbiflow.pth").read_text().strip()) == ROOT
    assert sys.version_info >= (3, 11)
