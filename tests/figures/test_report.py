"""The report on synthetic results: what it says, that it stands alone, that it is well-formed."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from markupsafe import escape

from vbiflow import __version__
from vbiflow.exclusion import Exclusion, write_exclusion
from vbiflow.figures.draw import not_drawn
from vbiflow.figures.report import caption, format_value, inline_svg, link_dois, report
from vbiflow.figures.style import save
from vbiflow.figures.table import FIGURES, figure_function
from vbiflow.io import Quantity, write, write_json
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT

TEMPLATE = ROOT / "vbiflow" / "figures" / "report.html.jinja"
VOID = {"meta", "link", "br", "img", "hr", "input"}
VERDICTS = {"alice": "trusted", "bob": "not trusted"}
GRADE = "FC correlation 0.68: as much as another person's recording (0.61 to 0.84)"
CALIBRATED = "2 of 2 parameters are calibrated over 250 held-out simulations, TARP is off by 0.03 (limit 0.05)"
REASONS = {"alice": "the recording lies inside", "bob": "r < 0.1 & the recording is rare under this prior"}
LEFT_OUT = Exclusion("carol", "observe", "carol.mat: damaged or not a .mat file")
SOURCE = {"name": "cohort-x", "licence": "CC0-1.0", "notice": "Thank them.", "citation": "Doe 2020, doi:10.1000/xyz-1"}
PRIOR = Prior.from_config(
    {"G": {"uniform": [1, 10]}, "sigma": {"uniform": [0.0005, 0.01]}}, units={"G": "1", "sigma": "1/sqrt(ms)"}
)
NOTES = {"study": "two", "rule": "x", "seed": 42, "config_hash": "c0ffee", "code": "beef"}
NOTES["sources"] = [SOURCE, SOURCE | {"name": "cohort-y"}]


class Balance(HTMLParser):
    """Collects ids and references; fails on a tag that closes another."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.ids, self.references = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.ids += [value] if name == "id" else []
            self.references += [(tag, value)] if name in ("href", "src", "xlink:href") else []

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def estimator_files(folder, invalid):
    rng = np.random.default_rng(1)
    notes = NOTES | {"versions": {"vbiflow": "0.1.0", "numpy": "2.4"}}
    write(
        folder / "connectome.h5",
        {"labels": ["A", "B", "C"]},
        notes | {"findings": [{"name": "short_lengths", "severity": "warning", "text": "25 % short"}]},
    )
    write(
        folder / "prior.h5",
        {"theta": Quantity(PRIOR.sample(1, 0, 50), PRIOR.units)},
        notes | {"prior": PRIOR.to_config()},
    )
    valid = np.arange(50) >= invalid
    reason = np.where(valid, "", "S: not finite")
    write(
        folder / "features.h5",
        {
            "x": Quantity(rng.random((50, 2)), "1"),
            "names": ["fc.mean", "fcd.sd"],
            "valid": valid,
            "reason": list(reason),
        },
        notes,
    )
    write_json(folder / "training.json", {"train_loss": [[1.0]], "validation_loss": [[1.0]], "seconds": 2.5})
    write_json(folder / "features_report.json", {
        "n_features": 9, "dropped": {"fc.min": "constant over the simulations"}, "redundant": [["fc.mean", "fc.sd"]],
        "outside": {"alice": {"fcd.sd": "above"}, "bob": {}},
    })  # fmt: skip
    entry = {
        "verdict": "trusted", "information": 0.693, "shrinkage": 0.75, "correlation": 0.9, "coverage_90": 0.91,
        "sbc_p": 0.4,
    }  # fmt: skip
    write_json(folder / "diagnostics.json", {
        "verdict": "trusted", "reasons": [CALIBRATED], "words": CALIBRATED, "n_test": 250,
        "parameters": {"G": entry, "sigma": entry | {"verdict": "uninformative", "sbc_p": None}},
        "tarp": {"verdict": "trusted"},
    })  # fmt: skip


def subject_files(folder, name):
    theta = PRIOR.sample(9, 0, 500)
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    parts = {
        "theta": theta, "map": np.array([3.21, 0.004]), "mean": theta.mean(0),
        "sd": PRIOR.std / 2,
        "truth": np.full(len(theta[0]), np.nan),
        "quantiles": np.quantile(theta, levels, axis=0),
    }  # fmt: skip
    parts = {key: Quantity(values, PRIOR.units, attributes={"levels": levels}) for key, values in parts.items()}
    parts["names"] = ["G", "sigma"]
    write(folder / "samples.h5", parts, NOTES | {"versions": {"torch": "2.13"}})
    recording = {
        "recording_file": "bold.mat::tc", "recording_kind": "bold", "recording_duration": 864.0,
        "recording_channels": 94, "recording_rate": 1 / 0.72,
    }  # fmt: skip
    if name == "bob":
        recording |= {
            "recording_kind": "eeg", "recording_duration": 15.0, "recording_rate": 250.0,
            "recording_reference": "average",
        }  # fmt: skip
    write(
        folder / "x_o.h5",
        {"x": Quantity(np.zeros(2), "1")},
        NOTES | {"versions": {"mne": "1.9"} if name == "bob" else {}} | recording,
    )
    score = {"short": GRADE.partition(" (")[0], "words": GRADE}
    parts = {
        "model": {"grade": "other_person", "reasons": [GRADE], "scores": {"fc_correlation": score}},
        "estimator": {"words": CALIBRATED},
    }
    verdict = {"verdict": VERDICTS[name], "reasons": [REASONS[name]], "estimator": "trusted", "parts": parts}
    write_json(folder / "verdict.json", verdict)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, arguments):
    root = tmp_path_factory.mktemp("results") / "two"
    drawings = arguments(4)
    for name in VERDICTS:
        estimator_files(root / name, invalid=5 if name == "bob" else 0)
        subject_files(root / "subjects" / name, name)
        save(figure_function("training")(**drawings["training"]), root / name / "figures" / "training.svg")
        save(figure_function("pairs")(**drawings["pairs"]), root / "subjects" / name / "figures" / "pairs.svg")
    (root / "cohort.tsv").write_text("participant_id\n")
    save(figure_function("cohort")(**drawings["cohort"]), root / "figures" / "cohort.svg")
    write_exclusion(LEFT_OUT, [root / "subjects" / "carol" / name for name in ("x_o.h5", "samples.h5", "verdict.json")])
    every = lambda pattern: sorted(map(str, root.glob(pattern)))  # noqa: E731
    files = {kind: every(f"[ab]*/{kind}.h5") for kind in ("connectome", "prior", "features")} | {
        "training": every("*/training.json"), "diagnostics": every("*/diagnostics.json"),
        "features_report": every("*/features_report.json"),
        "x_o": every("subjects/*/x_o.h5"), "samples": every("subjects/*/samples.h5"),
        "verdict": every("subjects/*/verdict.json"),
        "estimator_figures": every("[ab]*/figures"), "subject_figures": every("subjects/*/figures"),
        "cohort": [str(root / "cohort.tsv"), str(root / "figures")], "pages": [],
        "captions": [str(ROOT / "rules" / "report" / f"{name}.rst") for name in FIGURES],
    }  # fmt: skip
    settings = {
        "study": "two", "alone": "", "nodes": "regions",
        "estimator_of": {name: name for name in VERDICTS},
        "figures": {
            "cohort": {"": ["cohort"]}, "estimator_figures": {name: ["training"] for name in VERDICTS},
            "subject_figures": {name: ["pairs"] for name in VERDICTS},
        },
        "model": {"title": "Wong-Wang", "reference": "Deco 2013, doi:10.1523/JNEUROSCI.1091-13.2013"},
        "settings": {
            "title": "Two people", "prior": PRIOR.to_config()["prior"], "inference": {"estimator": "maf"},
        },
    }  # fmt: skip
    return files, settings


@pytest.fixture(scope="module")
def page(inputs):
    return report(TEMPLATE, *inputs)


def test_priors_of_coefficients_of_maps_are_told(inputs):
    files, settings = inputs
    prior = {"w": {"map": {"constant": {"uniform": [0, 1]}, "myelin": {"normal": [0.5, 2]}}, "within": [0, 1]}}
    told = report(TEMPLATE, files, settings | {"settings": settings["settings"] | {"prior": prior}})
    assert "uniform (0, 1); " in told and "normal (0.5, 2)</dd>" in told


def test_states_each_verdict_with_its_reason_before_the_first_figure(page):
    top = page[: page.index("<figure")]
    assert "1 of 2 subjects has a posterior that is trusted" in re.sub(r"\s+", " ", top)
    for name, verdict in VERDICTS.items():
        card = top[top.index(f'<b><a href="#subject-{name}">') :]
        assert f">{verdict}</span>" in card[: card.index("</p>")]
    assert "r &lt; 0.1 &amp; the recording is rare under this prior" in top


def test_has_a_section_each_subject_and_estimator_that_the_navigation_reaches(page):
    for name in VERDICTS:
        for kind in ("subject", "estimator"):
            assert f'<section id="{kind}-{name}">' in page
            assert f'<li><a href="#{kind}-{name}">' in page


def test_is_balanced_html_with_unique_ids_whose_references_resolve(page):
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids)) > 100
    inside = [value[1:] for _, value in parser.references if value.startswith("#")]
    assert set(inside) <= set(parser.ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(parser.ids)


def test_loads_nothing_from_outside(page):
    parser = Balance()
    parser.feed(page)
    outside = [(tag, value) for tag, value in parser.references if not value.startswith(("#", "data:image/png;base64"))]
    assert ("a", "cohort.tsv") in outside
    outside.remove(("a", "cohort.tsv"))
    assert outside and all(tag == "a" and value.startswith("https://doi.org/") for tag, value in outside)
    text = re.sub(r'href="https://doi.org/[^"]+"', "", page)
    assert "http://" not in text and "https://" not in text and "@import" not in text and "<script" not in text


def test_shows_posterior_numbers_settings_sources_and_the_command(page):
    for part in (
        "<td>3.21</td>", "<td>0.75</td>", "Figure 1.", "Figure 4.", f"vbiflow {__version__}, ", "torch 2.13",
        "<dd>42</dd>",
        "<code>fc.min</code>: constant over the simulations", "<code>fc.mean</code>, <code>fc.sd</code>",
        "The recording of alice lies outside of all simulations in 1 feature:", "<code>fcd.sd</code>: above",
        "CC0-1.0", "Thank them.", "snakemake --cores all results/two/report.html", "S: not finite (5)", "5 (10 %)",
        "<th>short_lengths</th><td>warning</td><td>25 % short</td>", "G uniform (1, 10); σ uniform (0.0005, 0.01)",
    ):  # fmt: skip
        assert part in page, part
    assert page.count(SOURCE["citation"].partition(",")[0]) == 3, "of each source, and once to cite"


def test_puts_captions_from_the_rules_under_the_figures(page):
    caption = " ".join((ROOT / "rules" / "report" / "pairs.rst").read_text().split())
    assert page.count(f"</b> {caption}</figcaption>") == 2


def test_inlined_drawing_keeps_ids_that_are_referred_to_under_short_names_and_no_metadata():
    svg = '<?xml version="1.0"?>\n<svg width="255.6pt" height="9pt" viewBox="0 0 9 9" xmlns="http://x"><metadata>m</metadata>'
    svg += '<g id="axes_1"><path id="a"/><use xlink:href="#a" style="clip-path: url(#b)"/><clipPath id="b"/></g></svg>'
    drawing, width = inline_svg(svg, "p", 'A "label"')
    assert drawing == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="A &#34;label&#34;"><g><path id="i82079eb1.0"/>'
        '<use xlink:href="#i82079eb1.0" style="clip-path: url(#i82079eb1.1)"/><clipPath id="i82079eb1.1"/></g></svg>'
    )
    other, _ = inline_svg(svg, "another", "")
    assert not set(re.findall(r' id="([^"]*)"', drawing)) & set(re.findall(r' id="([^"]*)"', other))
    assert width == pytest.approx(30.0)
    with pytest.raises(ValueError, match="p: not an SVG figure with a width in pt; delete it and run again"):
        inline_svg("", "p", "")


def test_links_dois_and_prints_numbers():
    assert link_dois("A <b>, doi:10.1/x-y; doi:10.2/z.") == (
        'A &lt;b&gt;, <a href="https://doi.org/10.1/x-y">doi:10.1/x-y</a>; <a href="https://doi.org/10.2/z">doi:10.2/z</a>.'
    )
    assert [format_value(value) for value in (-0.12345, 1200.0, None, float("nan"))] == ["−0.123", "1200", "–", "–"]


def test_lists_who_is_left_out_and_why(page):
    top = page[: page.index("<figure")]
    assert "One subject is left out, as their files could not be used." in re.sub(r"\s+", " ", top)
    assert LEFT_OUT.reason in top and 'id="subject-carol"' not in page


def test_sets_the_subjects_side_by_side(page):
    section = page[page.index('<section id="cohort">') : page.index('<section id="subject-alice">')]
    assert section.count("<tr>") == 4 and section.count("<figure") == 1
    for name in VERDICTS:
        assert f'<a href="#subject-{name}">{name}</a>' in section


def test_the_grade_of_the_model_stands_in_the_card_of_each_subject_before_its_reasons(page):
    assert page.count(str(escape(GRADE))) == len(VERDICTS)
    for name, reason in REASONS.items():
        card = page[page.index(f'<b><a href="#subject-{name}">') :]
        assert card.index(str(escape(GRADE))) < card.index(str(escape(reason)))


def test_each_card_gives_the_numbers_of_the_estimator(page):
    for name in VERDICTS:
        card = page[page.index(f'<b><a href="#subject-{name}">') :]
        assert CALIBRATED in card[: card.index("</div>")]
        section = page[page.index(f'<section id="estimator-{name}">') :]
        section = section[: section.index("</section>")]
        assert section.count(CALIBRATED) == 1 and "The joint posterior of all parameters is" in section


def test_what_was_learnt_is_told_by_information_beside_shrinkage(page):
    for kind in ("subject", "estimator"):
        section = page[page.index(f'<section id="{kind}-alice">') :]
        heads = re.findall(r"<th>([^<]*)</th>", section[: section.index("</thead>")])
        column = heads.index("information [nat]")
        assert heads[column + 1] == "shrinkage"
        row = re.findall(r"<t[hd]>([^<]*)</t[hd]>", section[section.index("<tbody>") : section.index("</tr>\n<tr>")])
        assert row[column + 1] == "0.75"
        assert float(row[column]) == (0.693 if kind == "estimator" else pytest.approx(0, abs=0.05))
    assert "0 where nothing was learnt" not in page and "0.7 as much as excluding half of its prior" in page


def test_numbers_figures_in_the_order_of_the_page(page):
    numbers = [int(number) for number in re.findall(r"<figcaption><b>Figure (\d+)", page)]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 3


def test_subjects_with_pages_of_their_own_are_linked(inputs):
    files, settings = inputs
    pages = [path.replace("samples.h5", "report.html") for path in files["samples"]]
    light = report(TEMPLATE, files | {"pages": pages, "subject_figures": [], "estimator_figures": []}, settings)
    for name in VERDICTS:
        assert f'href="subjects/{name}/report.html"' in light and f'id="subject-{name}"' not in light
    assert light.count("<figure") == 1 and 'id="estimator-' not in light and "The whole cohort" not in light
    rows = re.findall(r"<tr><th><a.*?</tr>", light, re.DOTALL)
    assert [REASONS["alice"] in rows[0], "r &lt; 0.1 &amp; the recording" in rows[1]] == [True, True]
    grade = str(escape(GRADE.partition(" (")[0]))
    assert all(0 < row.index(grade) < row.index('class="verdict') for row in rows) and len(rows) == len(VERDICTS)
    summary = light[light.index('<header id="summary">') : light.index("</header>")]
    assert "as much as another person&#39;s recording (2)." in summary
    assert "the reasons stand on their pages" in light and f"<td>{LEFT_OUT.reason}</td>" in light
    parser = Balance()
    parser.feed(light)
    assert parser.open == []
    assert {value[1:] for _, value in parser.references if value.startswith("#")} <= set(parser.ids)


def test_page_of_one_subject_bears_the_name_and_leads_back(inputs):
    files, settings = inputs
    mine = {kind: [path for path in paths if "bob" not in path] for kind, paths in files.items()}
    connectomes = {"alice": "alice"}
    page = report(TEMPLATE, mine | {"cohort": []}, settings | {"alone": "alice", "estimator_of": connectomes})
    assert "<title>alice, Two people</title>" in page and "<h1>Two people: alice</h1>" in page
    assert '<a href="../../report.html">The whole cohort</a>' in page and "recording of bob" not in page
    assert "results/two/subjects/alice/report.html</pre>" in page


def test_where_recordings_lie_outside_stands_on_the_pages_of_those_who_made_them(inputs, page):
    files, settings = inputs
    pages = [path.replace("samples.h5", "report.html") for path in files["samples"]]
    one = {
        kind: [path for path in paths if kind == "captions" or "/subjects/" in path or "bob" not in path]
        for kind, paths in files.items()
    }
    shared = settings | {"estimator_of": dict.fromkeys(VERDICTS, "alice")}
    assert "The recording of alice lies outside" in page
    assert "lies outside of all" not in report(TEMPLATE, one | {"pages": pages, "subject_figures": []}, shared)


def test_a_figure_that_could_not_be_drawn_is_said_in_the_summary(inputs, tmp_path):
    files, settings = inputs
    save(not_drawn("pairs could not be drawn: <no> samples"), tmp_path / "alice" / "figures" / "pairs.svg")
    whole = [path for path in files["subject_figures"] if "alice" not in path]
    page = report(TEMPLATE, files | {"subject_figures": [str(tmp_path / "alice" / "figures"), *whole]}, settings)
    summary = page[: page.index("<figure")]
    assert 'A figure is not shown, and in its place stands why: <a href="#s-alice-pairs">' in summary


def test_a_figure_that_is_not_in_its_folder_is_told(inputs):
    """Each that the study wants, by a line in its place and a link in the summary; what is not wanted is not missed."""
    files, settings = inputs
    figures = settings["figures"]
    wanted = figures | {"subject_figures": {"alice": ["marginals", "pairs"], "bob": ["pairs"]}}
    more = report(TEMPLATE, files, settings | {"figures": wanted})
    assert '<a href="#s-alice-marginals">' in more[: more.index("<figure")]
    assert re.search(r"<p>\S*/alice/figures/marginals.svg is missing; delete its folder and run again.</p>", more)
    assert '<figure id="s-alice-pairs">' in more and "s-bob-marginals" not in more


def test_says_what_each_recording_was_and_cites_what_read_it(inputs, page):
    assert "Recording: bold.mat::tc, BOLD, 14.4 min used, 94 channels, a sample every 0.72 s." in page
    assert "EEG, 15 s used, 94 channels, 250 samples a second, reference average." in page
    cited = page[page.index('<section id="cite">') :]
    assert "https://doi.org/10.3389/fnins.2013.00267" in cited
    files, settings = inputs
    mine = {kind: [path for path in paths if "bob" not in path] for kind, paths in files.items()}
    alone = report(TEMPLATE, mine | {"cohort": []}, settings | {"alone": "alice", "estimator_of": {"alice": "alice"}})
    assert "fnins.2013.00267" not in alone


def test_one_card_a_person_and_details_folded(page):
    top = page[: page.index("<figure")]
    assert len(re.findall(r'<div class="card ', top)) == 3  # alice, bob, and carol, who is left out
    assert "Estimator on the connectome of alice" in top and "Estimator alice" not in page
    for name in VERDICTS:
        for kind in ("subject", "estimator"):
            section = page[page.index(f'<section id="{kind}-{name}">') :]
            section = section[: section.index("</section>")]
            assert section.index("<details>") < section.index("<figure") < section.rindex("</details>")


def test_figures_on_sensors_are_described_so(inputs):
    psd = caption(ROOT / "rules" / "report" / "psd.rst", "sensors")
    assert "mean over sensors" in psd and "each sensor" in psd and "region" not in psd and "node" not in psd
    assert all("{" not in caption(path) for path in inputs[0]["captions"])
