"""A figure is its function, its caption and one entry of the table; one that is broken loses no other."""

import re
import zipfile

import pytest
from test_snakemake import REPORT, jobs

from vbiflow.figures.table import captions, wanted_figures
from vbiflow.study import load_study

FUNCTION = '''"""A figure of the tests."""

from vbiflow.figures.style import canvas, styled


@styled
def histograms(samples):
    figure = canvas(2.0)
    figure.subplots().hist(samples[:, 0])
    return figure
'''
CAPTION = "Samples of the first parameter, counted."
START = "FIGURES: dict[str, Figure] = {"
ENTRY = '\n    "histograms": Figure("subject", "Posterior", "histograms", {"samples": "samples/theta"}),'
FIGURES = "results/tiny/subjects/101309/figures"


@pytest.fixture
def drawn(again):
    """A checkout in which the tiny study has run, with one figure more in the table."""
    again.edit("vbiflow/figures/table.py", START, START + ENTRY)
    (again.path / "vbiflow/figures/histograms.py").write_text(FUNCTION)
    (again.path / "rules/report/histograms.rst").write_text(CAPTION)
    return again


def test_it_runs_two_jobs_and_stands_in_both_reports(drawn):
    assert jobs(drawn.snakemake("-n", REPORT)) == {"figures_subject": 1, "report": 1, "total": 2}
    before = {path.name: path.read_bytes() for path in (drawn.path / FIGURES).glob("*.svg")}
    assert drawn.snakemake("--notemp", REPORT).returncode == 0
    after = {path.name: path.read_bytes() for path in (drawn.path / FIGURES).glob("*.svg")}
    assert after.keys() - before.keys() == {"histograms.svg"} and before.items() < after.items()
    page = (drawn.path / REPORT).read_text()
    assert 'id="s-101309-histograms"' in page and CAPTION in page


def test_a_figure_that_fails_is_told_and_the_others_are_drawn(drawn):
    drawn.edit("vbiflow/figures/histograms.py", "samples[:, 0]", "samples[:, 99]")
    done = drawn.snakemake("--notemp", REPORT)
    assert done.returncode == 0
    assert re.search(r"figures_subject tiny 101309: figure histograms could not be drawn: index 99 .*", done.stdout)
    assert "A figure is not shown" in (drawn.path / REPORT).read_text()
    assert len(list((drawn.path / FIGURES).glob("*.svg"))) == 9
    assert "Nothing to be done" in drawn.snakemake("--notemp", REPORT).stdout


def test_a_fault_in_the_table_stops_before_the_dag(copy):
    copy.edit("vbiflow/figures/table.py", START, START + ENTRY)
    (copy.path / "vbiflow/figures/histograms.py").write_text(FUNCTION)
    done = copy.snakemake("-n", REPORT)
    assert done.returncode != 0 and not jobs(done) and "Traceback" not in done.stdout
    assert "figure histograms has no caption; write rules/report/histograms.rst" in done.stdout


def test_every_figure_of_the_study_stands_in_both_reports_with_its_caption(finished, again):
    study = load_study("tiny")
    wanted = [*wanted_figures("estimator", study, "101309"), *wanted_figures("subject", study, "101309")]
    page, written = (finished.path / REPORT).read_text(), captions()
    shown = re.findall(r'<figure id="[es]-101309-(\w+)">', page)
    order = [*wanted_figures("subject", study, "101309"), *wanted_figures("estimator", study, "101309")]
    assert shown == [name for name in order if name != "invalid"] or shown == order
    done = again.snakemake("--report", "overview.zip", REPORT)
    assert done.returncode == 0, done.stdout[-3000:]
    with zipfile.ZipFile(again.path / "overview.zip") as archive:
        names = {name.rpartition("/")[2] for name in archive.namelist()}
        text = archive.read(min((one for one in archive.namelist() if one.endswith("report.html")), key=len)).decode()
    assert {f"{name}.svg" for name in wanted} <= names
    for name in wanted:
        start = re.split(r"[^\w ,.:;-]", written[name])[0][:60]
        assert start in text, name
