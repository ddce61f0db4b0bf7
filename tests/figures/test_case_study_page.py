"""The page of the case studies: which figures of whom stand on a card, pictures of all studies, and their copies."""

import re

import numpy as np
import pytest
from PIL import Image

from vbiflow.case_studies import CASE_STUDIES
from vbiflow.documented_run import PICTURES as OF_STUDIES
from vbiflow.documented_run import TABLES
from vbiflow.figures import documented
from vbiflow.figures.case_studies import PICTURES, REPEATED, SHOWN, card, page
from vbiflow.figures.style import message, save
from vbiflow.io import write, write_json

COLUMNS = "study\tverdict\n"
ROW = {"simulate_s": 912.0, "features_s": "30", "train_s": float("nan")}
"""What a card reads of the summary."""


@pytest.fixture
def paths(tmp_path):
    """Files of a study of three people, of whom all figures of SHOWN are drawn, and of its estimator and cohort."""
    study = tmp_path / "results" / "epileptor_noise@quick"
    write_json(study / "low" / "diagnostics.json", {"verdict": "trusted", "reasons": ["a", "b"]})
    write(study / "low" / "features.h5", {"valid": np.ones(3, bool)}, {})
    folders = [*(study / "subjects" / name / "figures" for name in ("low", "middle", "high")), study / "figures"]
    folders.append(study / "low" / "figures")
    for folder in folders:
        for name in ("series", "marginals", "fc", "cohort_pairs" if folder == study / "figures" else "noise_levels"):
            save(message(f"{name} of {folder}"), folder / f"{name}.svg")
    return {
        "diagnostics": study / "low" / "diagnostics.json", "features": study / "low" / "features.h5",
        "folders": list(map(str, folders)), "choices": [],
    }  # fmt: skip


def test_a_card_shows_signals_of_everybody_and_all_figures_of_the_first_the_cohort_and_the_estimator(paths):
    drawn = card("epileptor_noise@quick", "6-S3", paths, {"title": "noise"}, ROW)["figures"]
    owners = [item["caption"].partition(": ")[0] for item in drawn]
    repeated = len({"series", "marginals", "fc", "noise_levels"} & {*REPEATED})
    assert repeated == 2
    assert [owners.count(name) for name in ("middle", "high", "epileptor_noise@quick")] == [repeated, repeated, 4]
    assert owners.count("low") == 8  # the first person's and the estimator's, which has that person's name
    assert {*REPEATED} < {*SHOWN}


def test_the_page_holds_the_pictures_of_all_studies(paths, tmp_path):
    one = card("epileptor_noise@quick", "6-S3", paths, {"title": "noise"}, ROW)
    for name in PICTURES:
        save(message(name), tmp_path / f"{name}.png")
    rows = [{"study": "epileptor_noise@quick", "verdict": "trusted"}]
    text = page(rows, rows, [one], {name: tmp_path / f"{name}.png" for name in PICTURES}, [{"study": "all"}])
    assert text.count("data:image/png;base64,") == len(PICTURES) == 3
    assert all(caption.replace("'", "&#39;") in text for caption in PICTURES.values())
    assert "Core minutes: simulation 15.2, features 0.5." in text
    assert re.search(r"would take \d\.\d hours of an NVIDIA H200, or \d+ core hours\.</p>", text)
    few = page(rows, rows, [one], {"overview": tmp_path / "overview.png"}, [{"study": "all"}])
    assert few.count("data:image/png;base64,") == 1 and PICTURES["accuracy"] not in few


@pytest.mark.parametrize("every", [True, False])
def test_pictures_are_documented_where_every_study_ran(every, tmp_path, monkeypatch):
    docs, results = tmp_path / "docs", tmp_path / "results"
    ran, drawn = [f"{name}@quick" for name in CASE_STUDIES][: None if every else 3], []
    monkeypatch.setattr("vbiflow.documented_run.DOCUMENTED", docs)
    monkeypatch.setattr(documented, "DOCUMENTED", docs)
    monkeypatch.setattr(documented, "draw_picture", lambda *found: drawn.append(found[-1].stem))
    monkeypatch.setattr(documented, "draw_costs", lambda path: drawn.append(path.stem))
    for folder, rows in ((docs, ["epileptor@paper"]), (results, ran)):
        folder.mkdir()
        for table in TABLES:
            (folder / f"{table}.tsv").write_text(COLUMNS + "".join(f"{name}\tnone\n" for name in rows))
    for name in documented.WHOLE:
        save(message(name), results / f"{name}.png")
    documented.update_documented_run(results)
    stems = {name.partition("@")[0] for name in ran}
    assert {*drawn} == {"costs"} | {picture for picture, (stem, *_) in OF_STUDIES.items() if stem in stems}
    found = [path.name for path in sorted(docs.glob("*.png"))]
    assert found == (["accuracy.png", "overview.png"] if every else [])
    assert all(Image.open(docs / name).width <= documented.WIDTH for name in found)
    lines = (docs / "summary.tsv").read_text().splitlines()[1:]
    assert len(lines) == (len(CASE_STUDIES) if every else 4)
