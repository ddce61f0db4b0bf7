"""Names in step: rules and scripts, environments and lock, README tables and registries, schema and registries."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from checkout import PARTS

from vbiflow.dependencies import file_of, loaded_packages
from vbiflow.estimator_options import EMBEDDING_OPTIONS, ESTIMATOR_OPTIONS, OPTIONS, WORKFLOW
from vbiflow.inference.embeddings import EMBEDDINGS
from vbiflow.inference.estimators import ESTIMATORS
from vbiflow.statements import import_meanings
from vbiflow.study import known_studies, load_study
from vbiflow.study.reference import configuration_document
from vbiflow.tables import documents

ROOT = Path(__file__).resolve().parents[2]
RULES = {
    name: body
    for file in sorted((ROOT / "rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n((?:^(?:    .*)?\n)+)", file.read_text(), re.MULTILINE)
}
CONDA_NAMES = {"matplotlib-base": "matplotlib", "pytorch": "torch"}


def locked():
    lines = (ROOT / "envs" / "requirements.lock").read_text().splitlines()
    return dict(line.lower().partition(";")[0].split("==") for line in lines if "==" in line)


def script_of(rule):
    """Script of a rule, named as the rule is; all figures share one."""
    return "figures" if rule.startswith("figures_") else rule


def test_every_rule_has_its_script_and_every_script_its_rule():
    scripts = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert scripts == set(map(script_of, RULES))


@pytest.mark.parametrize("name", RULES)
def test_every_rule_says_what_it_needs(name):
    for directive in ("log:", "conda:", "resources:", "mem_mb", "runtime", "params:"):
        assert directive in RULES[name], f"rule {name} lacks {directive}"
    assert f'"../scripts/{script_of(name)}.py"' in RULES[name]
    fetched_by_hash = "sha256" in RULES[name] or "source_of" in RULES[name]
    assert (
        f'code("scripts/{name}.py"' in RULES[name]
        or re.search(r"\*\*(SIMULATE|figures_of)", RULES[name])
        or fetched_by_hash
    )


@pytest.mark.parametrize("environment", sorted(path.name for path in (ROOT / "envs").glob("*.yaml")))
def test_environments_pin_what_the_lock_pins(environment):
    content = yaml.safe_load((ROOT / "envs" / environment).read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    pins = [entry for entry in content["dependencies"] if isinstance(entry, str) and entry != "pip"]
    for pin in pins:
        name, version = pin.split("=")
        if name == "python":
            assert version == "3.11"
            continue
        assert locked()[CONDA_NAMES.get(name, name)].startswith(version + "."), pin
    for pin in next((entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)), []):
        name, version = pin.split("==")
        assert locked().get(name, version) == version, f"{pin}: GPU packages alone may be missing in the lock"


def test_peers_are_pinned_in_the_extra_and_stay_out_of_the_lock():
    pinned = set(re.findall(r"\S+==\S+", (ROOT / "Makefile").read_text()))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
    assert pinned and pinned <= set(extras)
    assert not locked().keys() & {peer.partition("==")[0] for peer in pinned}


def test_every_rule_imports_only_what_its_environment_holds():
    """Third-party modules that a rule's script reaches at import time are pinned in its environment file."""
    modules = {"sklearn": "scikit-learn", "yaml": "pyyaml", "llvmlite": "numba", "PIL": "pillow"}
    own = {*sys.stdlib_module_names, "vbiflow"}
    for name, body in RULES.items():
        environment = re.search(r'"../envs/([\w-]+\.yaml)"', body).group(1)
        pins = yaml.safe_load((ROOT / "envs" / environment).read_text())["dependencies"]
        held = {CONDA_NAMES.get(pin.split("=")[0], pin.split("=")[0]) for pin in pins if isinstance(pin, str)}
        for module in top_imports(ROOT / "scripts" / f"{script_of(name)}.py") - own:
            assert modules.get(module, module) in held, f"{environment} lacks {module}, which rule {name} imports"


def top_imports(script):
    """Names of the packages that a script and the vbiflow modules it reaches import at module level."""
    found, seen, waiting = set(), set(), {script}
    while waiting:
        path = waiting.pop()
        names, files = imports(path)
        seen.add(path)
        found |= names
        waiting |= files - seen
    return found - {"__future__"}


@cache
def imports(path):
    """Names of the packages, and files of the vbiflow modules, that one file imports at module level."""
    names, files = set(), set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.split(".")[0])
        if isinstance(node, ast.Import | ast.ImportFrom):
            package = ".".join(path.parent.relative_to(ROOT).parts)
            loaded = {
                part for _, (base, name) in import_meanings(node, package) for part in loaded_packages(f"{base}.{name}")
            }
            files |= {file_of(name) for name in loaded if name.startswith("vbiflow")}
    return names, files


def test_rules_read_studies_without_what_takes_seconds_to_import():
    slow = ("scipy.stats", "scipy.signal", "matplotlib", "pandas", "sklearn", "mne", "torch", "sbi")
    command = f"import sys, vbiflow.study; print(*[name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not done.stdout.split(), "import it where it is needed; of SciPy, import scipy and use scipy.stats"


@pytest.mark.parametrize("study", known_studies())
def test_every_study_that_ships_is_sound(study):
    loaded = load_study(study)
    rows = [loaded.rows(shard) for shard in loaded.shards]
    assert rows[0][0] == 0 and rows[-1][1] == loaded.n_simulations
    assert all(one[1] == two[0] for one, two in pairwise(rows))


def test_the_demo_is_what_the_readme_says():
    demo = load_study("hcp_linear@demo")
    assert demo.n_simulations >= 2000 and len(demo.shards) >= 2 and len(demo.subjects) == 2


def test_schema_knows_every_option_of_the_inference():
    schema = yaml.safe_load((ROOT / "config" / "schemas" / "study.schema.yaml").read_text())
    assert schema["properties"]["inference"]["properties"].keys() == {*OPTIONS, *WORKFLOW}
    assert ESTIMATORS.keys() == ESTIMATOR_OPTIONS.keys() and EMBEDDINGS.keys() == EMBEDDING_OPTIONS.keys()


def test_tables_of_the_documentation_are_those_of_the_registries():
    for path, text in documents().items():
        assert path.read_text() == text, f"{path.name} is not what the registries say; run make docs"


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "snakefmt", "--check", "Snakefile", "rules"],
        ["-m", "snakemake", "--lint"],
    ],
    ids=["ruff", "format", "snakefmt", "lint"],
)
def test_linters_are_content(command):
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_pinned_twice_or_loosely():
    lines = [
        line for line in (ROOT / "envs" / "requirements.lock").read_text().splitlines() if line[:1] not in ("", "#")
    ]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+(; sys_platform == \"linux\")?", line) for line in lines)
    assert len(lines) == len(locked())
    assert locked()["torch"] == "2.13.0"


def test_every_pin_has_its_hashes():
    text = (ROOT / "envs" / "hashes.lock").read_text()
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry[0] != "#"]
    pins = [line for line in (ROOT / "envs" / "requirements.lock").read_text().splitlines() if line and line[0] != "#"]
    assert [entry.partition(" \\\n")[0] for entry in entries] == pins
    assert all(
        re.fullmatch(r"( \\\n    --hash=sha256:[0-9a-f]{64})+", e[len(p) :]) for e, p in zip(entries, pins, strict=True)
    )


def test_no_two_test_files_share_a_name():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"pytest imports by name, so that only the first of each is run: {twice}"


def test_the_content_hash_is_a_param_that_snakemake_compares():
    """Of params that take resources, threads, input or output it keeps no record, and reruns nothing for them."""
    text = (ROOT / "rules" / "study.smk").read_text()
    body = text.split("def code(")[1].split("\ndef ")[0]
    assert re.findall(r"def value\((.*?)\)", body) == ["wildcards"]


def test_no_script_rebinds_a_name_within_a_comprehension():
    """A walrus there binds the name of the whole script, which may hold something else that is needed below."""
    for path in sorted((ROOT / "scripts").glob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        walrus = {node.target.id for node in nodes if isinstance(node, ast.NamedExpr)}
        assigned = {
            name.id
            for node in nodes
            if isinstance(node, ast.Assign)
            for name in node.targets
            if isinstance(name, ast.Name)
        }
        assert not walrus & assigned, f"{path.name}: {walrus & assigned}"


def test_every_key_of_a_study_has_a_meaning():
    rows = [line for line in configuration_document().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    for row in rows:
        assert row.split("|")[-2].strip(), f"{row}: write a description in config/schemas"


def test_the_container_holds_every_part_of_the_workflow():
    copied = set(re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert set(PARTS) <= {part for line in copied for part in line.split()}
