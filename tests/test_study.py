"""Study files: defaults, scales, and every mistake in one line."""

import shutil
from dataclasses import replace

import pytest

from vbiflow.provenance import ROOT
from vbiflow.study import known_studies, load_config, load_study
from vbiflow.study.checks import check_evidence, check_required_grade, check_scores
from vbiflow.study.topology import amortisation_paths


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A copy of config/ to break."""
    monkeypatch.chdir(ROOT)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config"


def edit(config, old, new, file="studies/tiny.yaml"):
    path = config / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_defaults_are_filled_in(config):
    study = load_study("tiny", config)
    assert study["simulation"]["integrator"] == "heun" and study["connectome"]["per"] == "subject"
    assert study["diagnostics"]["n_floor"] == 20 and study["simulation"]["dt"] == 10


def test_shards_cover_the_simulations(config):
    study = load_study("tiny", config)
    rows = [study.rows(shard) for shard in study.shards]
    assert rows == [(0, 80), (80, 160), (160, 240), (240, 300)]
    assert [study.rows(shard) for shard in study.shards[:3]] == rows[:3]


def test_another_shard_size_makes_only_the_rows_that_are_not_there(config):
    study = load_study("tiny", config)
    made = study.shards
    study.settings["simulation"]["shard_size"] = 100
    assert study.shards_beside(made) == made, "all rows are there"
    study.settings["inference"]["n_simulations"] = 450
    assert [study.rows(shard) for shard in study.shards_beside(made)][4:] == [(300, 400), (400, 450)]
    assert study.shards_beside(made)[:4] == made
    left = [made[0], made[2], "shard-000160-000300", "shard-0001", "shard-000450-000600", "features"]
    rows = [study.rows(shard) for shard in study.shards_beside(left)]
    assert rows == [(0, 80), (80, 160), (160, 240), (240, 340), (340, 440), (440, 450)]
    study.settings["inference"]["n_simulations"] = 200
    assert [study.rows(shard) for shard in study.shards_beside(made)] == [(0, 80), (80, 160), (160, 200)]
    assert study.shards_beside(study.shards_beside(left)) == study.shards_beside(left)


def test_matters_of_the_machine_are_not_told_with_the_results(config):
    study = load_study("tiny", config)
    before = study.reported
    study.settings.update(resources={"simulate": {"threads": 4}})
    study.settings["simulation"] |= {"shard_size": 7, "keep": True}
    assert study.reported == before and before["simulation"]["duration"] == 864e3 and before["seed"] == 7


def test_scale_replaces_entries_and_keeps_the_rest(config):
    edit(config, "scales:", "scales:\n  large: {inference: {n_simulations: 900}, features: [fc, autocorrelation]}")
    assert known_studies(config).count("tiny@large") == 1
    small, large = load_study("tiny", config), load_study("tiny@large", config)
    assert large.n_simulations == 900 and large["inference"]["test_share"] == small["inference"]["test_share"]
    assert large["features"] == ["fc", "autocorrelation"] and small["features"] == ["fc"]
    with pytest.raises(ValueError, match="unknown scale 'huge'; it has large, evidence"):
        load_study("tiny@huge", config)


def test_one_shared_connectome(config):
    edit(config, "connectome:\n", "connectome:\n  per: '101309'\n", "studies/hcp_wong_wang.yaml")
    edit(config, "  per: subject\n", "", "studies/hcp_wong_wang.yaml")
    study = load_study("hcp_wong_wang", config)
    assert study.estimators == ["101309"] and study.connectome_of("102311") == "101309"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  n_predictive: 10",
            "  n_predictve: 10",
            "diagnostics: unknown key 'n_predictve'; did you mean 'n_predictive'",
        ),
        ("seed: 7", "sed: 7", "unknown key 'sed'; did you mean 'seed'"),
        ("seed: 7\n", "", "missing seed"),
        ("seed: 7", "seed: -7", "seed: found -7; write a number from 0"),
        ("model: wong_wang", "model: wang_wong", "unknown model 'wang_wong'; choose from wong_wang"),
        ("  w: {uniform", "  W: {uniform", "unknown parameter of wong_wang 'W'; choose from a, b, d"),
        ("model: wong_wang", "model: wong_wang\nparameters: {G: 2}", "G stands in both prior and parameters"),
        ("features: [fc]", "features: [fdc]", "unknown feature 'fdc'; choose from"),
        (
            "features: [fc]",
            "features: [{fc: {statistics: [al]}}]",
            "option statistics: unknown value 'al'; choose from mean",
        ),
        ("{bold: {tr: 720}}", "{bold: {tr: 725}}", "TR 725 ms is not a multiple of dt 10 ms"),
        ("dt: 10", "dt: 300", "dt 300 ms is longer than the shortest time constant|not a multiple"),
        ("- log1p", "- log2p", "unknown step 'log2p'; choose from"),
        ("cohort: tiny", "cohort: tny", r"unknown cohort 'tny'; choose from .*tiny"),
        ("cohort: tiny", "cohort: docs", r"docs: no dataset_description.json in it or in a folder below"),
        ("cohort: tiny", "cohort: {folders: none}", r"none: no such folder"),
        ("cohort: tiny", "cohort: {folder: docs}", r"cohort: unknown key 'folder'; did you mean 'folders'"),
        (
            "seed: 7",
            "seed: 7\nrecording: {confound: [csf]}",
            "recording: unknown option 'confound'; choose from demean",
        ),
        ("seed: 7", "seed: 7\nrecording: {drop: other}", r"recording.drop: found 'other'; write a list, as in \[other"),
        ("seed: 7", "seed: [", r"line \d+"),
        ("seed: 7", "seed: [7", "line 6"),
        ("n_simulations: 300", "n_simulations: many", "inference.n_simulations: found 'many'; write a whole number"),
        ("{uniform: [0, 1]}", "{uniform: [1, 0]}", "low 1 must be below high 0"),
        (
            "  normalise:\n",
            "  streamlines: {assignment: voxel}\n  normalise:\n",
            "tiny.yaml: connectome.streamlines.assignment: found 'voxel'; choose from radial, end_voxel",
        ),
        (
            "n_simulations: 300",
            "n_simulations: 250",
            r"of 250 are left 25 to validate \(at least 30\) and 85 to test \(at least 100\); raise it to 300, or",
        ),
        (
            "test_share: 0.34",
            "test_share: 0.33",
            r"left 99 to test \(at least 100\); raise it to 304, or raise test_share 0.33",
        ),
        (
            "test_share: 0.34",
            "test_share: 0.85",
            r"left 15 to train \(at least 30\); raise it to 600, or hold less out than 0.1 and 0.85",
        ),
        (
            "duration: 864.0e+3",
            "duration: 864",
            "864 ms is not a multiple of dt 10 ms; times are in ms, and 864 s are 864000",
        ),
        ("tr: 720", "tr: 0.72", "TR 0.72 ms is not a multiple of dt 10 ms; times are in ms, and 0.72 s are 720"),
        ("model: wong_wang", "model: wongwang", "unknown model 'wongwang'.*; did you mean 'wong_wang'?"),
        ("  G: {", "  g: {", "unknown parameter of wong_wang 'g'.*; did you mean 'G'?"),
        ("features: [fc]", "features: [FC]", "unknown feature 'FC'.*; did you mean 'fc'?"),
        ("  n_simulations: 300", "  estimator: mfa\n  n_simulations: 300", "unknown estimator .mfa.; choose from maf"),
    ],
)
def test_mistakes_get_one_line(config, old, new, message):
    path = config / "studies/tiny.yaml"
    text = path.read_text().replace(
        "normalise: [{power: 0.5}, spectral_radius, {scale: 0.227}]", "normalise:\n  - log1p\n  - max"
    )
    text = text.replace("observation:\n  bold: {tr: 720}", "observation: {bold: {tr: 720}}")
    path.write_text(text)
    edit(config, old, new)
    with pytest.raises(ValueError, match=message) as error:
        load_study("tiny", config)
    assert "\n" not in str(error.value)


def test_unknown_study_and_config_key(config):
    with pytest.raises(ValueError, match=r"unknown study 'x'; choose from .*tiny"):
        load_study("x", config)
    edit(config, "studies:", "study:", "config.yaml")
    with pytest.raises(ValueError, match=r"unknown key 'study'; did you mean 'studies'"):
        load_config(config / "config.yaml")


def test_what_is_given_on_the_command_line_is_not_blamed_on_the_file(config):
    with pytest.raises(ValueError, match=r"^--config or --configfile: top level: unknown key 'study'; did you mean"):
        load_config(config / "config.yaml", {"study": "tiny"})
    edit(config, "studies:", "study:", "config.yaml")
    with pytest.raises(ValueError, match=r"config.yaml: top level: unknown key 'study'"):
        load_config(config / "config.yaml", {"studies": "tiny"})


def test_speed_noise_and_maps_of_a_study(config):
    edit(config, "  w: {uniform", "  speed: {uniform: [1, 5]}\n  noise: {lognormal: [0, 1]}\n  w: {uniform")
    edit(config, "dt: 10", "dt: 1")
    study = load_study("tiny", config)
    assert study.delays == (1, 5, 1) and study.units["speed"] == "m/s" and study.units["I"] == "nA"
    edit(config, "  speed: {uniform: [1, 5]}\n", "")
    assert load_study("tiny", config).delays is None
    edit(config, "model: wong_wang", "model: wong_wang\nparameters: {speed: 6}")
    assert load_study("tiny", config).delays == (6, 6, 1)


def test_measurement_noise_is_said_in_one_place(config):
    edit(config, "features:", "preparation: {noise: 0.5}\nfeatures:")
    with pytest.raises(ValueError, match="preparation: unknown key 'noise'"):
        load_study("tiny", config)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("prior:\n", "parameters: {noise: 1.0e-6}\nprior:\n", "noise stands in both observation.sensors and prior"),
        (
            "  sensors: {",
            "  noise: 0.1\n  sensors: {",
            r"observation.noise: measurement noise is at the sensors; write",
        ),
        (
            "diagnostics:\n",
            "diagnostics:\n  optimise: 2\n",
            "diagnostics.optimise: point optimisation compares regions",
        ),
        ("  C: {", "  gain: {uniform: [-1, 1]}\n  C: {", r"gain of the sensors is -1; it is at least 0"),
        ("  bandpass: [1, 45]", "  epochs: 1.0013", r"preparation epochs: 1.0013 s are 200.3 samples at 200 Hz"),
        ("  - fc\n", "  - fc\n  - hmm\npreparation: {epochs: 2}\n", "feature hmm runs across the borders of epochs"),
    ],
)
def test_mistakes_about_sensors(config, old, new, message):
    if "preparation" in new:
        edit(config, "preparation:\n  bandpass: [1, 45]\n", "", "studies/eeg_recovery.yaml")
    edit(config, old, new, "studies/eeg_recovery.yaml")
    with pytest.raises(ValueError, match=message) as error:
        load_study("eeg_recovery", config)
    assert "\n" not in str(error.value)


def test_noise_and_gain_of_sensors_are_inferred_in_their_units(config):
    edit(config, ", noise: 1.0e-6}", "}", "studies/eeg_recovery.yaml")
    edit(
        config,
        "  C: {",
        "  noise: {uniform: [0, 1.0e-5]}\n  gain: {lognormal: [0, 1]}\n  C: {",
        "studies/eeg_recovery.yaml",
    )
    for k in (1, 2, 3):
        edit(
            config, f"  simulated-{k}: {{", f"  simulated-{k}: {{noise: 1.0e-6, gain: 1, ", "studies/eeg_recovery.yaml"
        )
    study = load_study("eeg_recovery", config)
    assert study.units["noise"] == "V" and study.units["gain"] == "1" and study.recorded["sensors"] is True
    edit(config, "  w: {uniform", "  gain: {uniform: [0, 1]}\n  w: {uniform")
    with pytest.raises(ValueError, match=r"gain is that of sensors; say observation.sensors, or leave it out"):
        load_study("tiny", config)


def test_maps_are_files_of_a_person(config, tmp_path):
    edit(config, "  normalise:", "  maps: {m: '" + str(tmp_path) + "/{participant_id}.tsv::m'}\n  normalise:")
    edit(config, "  w: {uniform: [0, 1]}", "  w: {map: {constant: {uniform: [0, 1]}, m: {uniform: [0, 1]}}}")
    with pytest.raises(ValueError, match=r"connectome.maps: m: .*101309.tsv: no such file"):
        load_study("tiny", config)
    (tmp_path / "101309.tsv").write_text("label\tm\n")
    assert load_study("tiny", config).maps("101309") == {"m": f"{tmp_path}/101309.tsv::m"}
    edit(config, "m: {uniform: [0, 1]}}}", "n: {uniform: [0, 1]}}}")
    with pytest.raises(ValueError, match=r"prior of w: no map 'n'; name its file in connectome.maps, which has m"):
        load_study("tiny", config)


SENSORS = "sensors: {template: fsaverage5-dk"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            SENSORS,
            "sensors: {templat: fsaverage5-dk",
            "observation.sensors: unknown key 'templat'; did you mean 'template'",
        ),
        (SENSORS, "sensors: {template: fsaverage", "unknown template 'fsaverage'; choose from fsaverage5-dk"),
        (SENSORS, "sensors: {template: fsaverage5-dk, contacts: c.tsv", "found template, contacts; give one of"),
        ("noise: 1.0e-6", "noise: -1.0e-6", "observation.sensors.noise: found -1e-06; write a number from 0"),
        (
            "features:\n",
            "recording: {filter: [1, 2]}\nfeatures:\n",
            "recording: unknown option 'filter'; choose from to",
        ),
        ("features:\n", "recording: {to: cortex}\nfeatures:\n", "recording.to: found 'cortex'; choose from sensors"),
        ("  simulated-2: {", "  simulated-9: {", r"truth: none of simulated-2, who has no recording"),
        ("simulated-2: {G: 45, C", "simulated-2: {G: 45, D", r"truth.simulated-2: D is not inferred; choose from G, C"),
    ],
)
def test_bad_sensors_are_one_line(config, old, new, message):
    edit(config, old, new, "studies/eeg_recovery.yaml")
    with pytest.raises(ValueError, match=message) as caught:
        load_study("eeg_recovery", config)
    assert "\n" not in str(caught.value) and "eeg_recovery.yaml" in str(caught.value)


def test_sensor_recordings_need_sensors(config):
    text = (config / "studies/eeg_recovery.yaml").read_text()
    lines = [line for line in text.splitlines() if "sensors:" not in line]
    (config / "studies/eeg_recovery.yaml").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=r"observation.sensors: missing; say how regions reach the sensors"):
        load_study("eeg_recovery", config)


def test_a_set_of_features_is_written_out(config):
    edit(config, "features: [fc]", "features: [default_bold, skewness]")
    study = load_study("tiny", config)
    assert study["features"][:2] == ["fc", "fcd"] and study["features"][-1] == "skewness"
    assert study.features == ["fc", "fcd", "variance", "autocorrelation_time", "kuramoto", "skewness"]
    assert study.own_files == []


def test_files_of_own_features_are_known(config, monkeypatch, tmp_path):
    own = tmp_path / "swing.py"
    own.write_text(
        "from vbiflow.features import feature\n\n\n"
        '@feature("swing")\ndef swing(batch):\n    """Swing."""\n    yield [""], batch.ts.max(axis=(1, 2))[:, None]\n'
    )
    monkeypatch.setattr("vbiflow.study.study.FOLDER", tmp_path)
    edit(config, "features: [fc]", "features: [fc, swing]")
    study = load_study("tiny", config)
    assert study.features == ["fc", "swing"] and study.own_files == [str(own)]


def test_a_pool_has_one_map_for_everybody(config):
    edit(config, "{per: pooled,", "{per: pooled, maps: {myelin: 'data/{participant_id}.npy'},")
    with pytest.raises(ValueError, match=r"connectome\.maps\.myelin: a pool has one map for everybody; name one file"):
        load_study("tiny@cohort", config)


def test_ablation_needs_something_to_leave(config):
    edit(config, "n_predictive: 10", "n_predictive: 10\n  ablation: true")
    with pytest.raises(ValueError, match=r"diagnostics\.ablation leaves one feature out of several; found only fc"):
        load_study("tiny", config)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  n_predictive: 10",
            "  estimators: [msf]",
            r"unknown estimator in diagnostics.estimators 'msf'; choose from maf",
        ),
        (
            "  n_predictive: 10",
            "  estimators: [nsf]",
            r"diagnostics.estimators: nothing trains them; add baselines: true",
        ),
        (
            "  n_predictive: 10",
            "  optimise: 2",
            r"diagnostics.optimise: stands among the baselines; add baselines: true",
        ),
        (
            "  n_predictive: 10",
            "  estimators: [nsf, nsf]",
            r"diagnostics.estimators: nsf stands twice, or is the study's",
        ),
        (
            "  n_predictive: 10",
            "  estimators: [maf]",
            r"diagnostics.estimators: maf stands twice, or is the study's own",
        ),
        ("  n_predictive: 10", "  n_predictive: 600", "600 of 500 samples of the posterior; lower it, or raise"),
        ("  n_predictive: 10", "  learning_curve: [100, 900]", r"learning_curve: 900 simulations, the study has 300"),
        (
            "  n_predictive: 10",
            "  require: other_person",
            "the cohort has one person; require above_chance or own_half",
        ),
        (
            "duration: 864.0e+3",
            "duration: 50.4e+3",
            "fcd_ks needs two windows of 59.76 s every 5.04 s, the study simulates 50.4 s",
        ),
        ("duration: 864.0e+3", "duration: 62.0e+3", "fcd_ks needs two windows"),
        (
            "Calcarine_R, Cuneus_L, Cuneus_R, Lingual_L, Lingual_R, Occipital_Sup_L, Occipital_Sup_R",
            "Calcarine_R",
            "fc_correlation compares the pairs of regions, of which 2 have 1",
        ),
        (
            "  n_predictive: 10",
            "  thresholds: {feature_tail: 0.5}",
            "threshold feature_tail is a share at either end, below 0.5",
        ),
        ("  n_predictive: 10", "  require: none", "require: found 'none'; choose from null, above_chance"),
        ("test_share: 0.34", "test_share: 34", "test_share: found 34; write a number .* 1, a share: 34 % is 0.34"),
        (
            "  n_predictive: 10",
            "  require: above_chance\n  scores: [fcd_ks]",
            "require: above_chance is not known of fcd_ks; name other",
        ),
        (
            "  n_predictive: 10",
            "  thresholds: {misspecification_p: 0.001}",
            "beside 150 simulations, .* no recording can be as rare as 0.001; raise inference.n_simulations to 1998",
        ),
        ("connectome:\n", "connectome:\n  per: pooled\n", r"connectome.per: pooled takes a cohort of 2 or more people"),
        (
            "connectome:\n",
            "connectome:\n  pool: {mix: true}\n",
            r"connectome.pool is for per: pooled or",
        ),
        (
            "connectome:\n",
            "connectome:\n  per: nobody\n",
            r"unknown 'nobody'; write subject, average, pooled, leave_one_out, or one of 101309",
        ),
    ],
)
def test_evidence_and_pools_that_cannot_be_are_one_line(config, old, new, message):
    edit(config, old, new)
    with pytest.raises(ValueError, match=message):
        load_study("tiny", config)


def test_a_half_too_short_for_the_windows_cannot_be_required(config):
    edit(config, "duration: 864.0e+3", "duration: 216.0e+3")
    edit(config, "  n_predictive: 10", "  require: own_half\n  scores: [fcd_ks]")
    with pytest.raises(
        ValueError, match=r"own_half needs halves .* more than 2 windows .* for fcd; the study simulates 216 s"
    ):
        load_study("tiny", config)


def test_segments_too_short_for_a_frequency_are_refused(config):
    edit(config, "tr: 720", "tr: 2000")
    edit(config, "  n_predictive: 10", "  scores: [psd_distance]")
    with pytest.raises(ValueError, match="psd_distance finds no frequency in segments of 2 s of a sample every 2 s"):
        load_study("tiny", config)


def test_two_studies_of_one_seed_share_simulations_and_are_not_compared_as_if_they_did_not():
    own, others = load_study("hcp_wong_wang"), load_study("hcp_wong_wang@others")
    assert amortisation_paths(own, others, "101309")["other"].endswith("leave_one_out.101309/posterior.pt")
    with pytest.raises(
        ValueError, match=rf"both have seed {own['seed']}, so that simulations which hcp_wong_wang holds"
    ):
        amortisation_paths(own, own, "101309")


def test_a_local_c2st_of_too_few_held_out_simulations_is_refused(config):
    edit(config, "test_share: 0.34", "test_share: 0.3")
    edit(config, "  n_predictive: 10", "  local_c2st: true\n  thresholds: {n_test: 30, predictive_p: 0.05}")
    with pytest.raises(ValueError, match=r"local_c2st: needs 100 held-out simulations, the study has 90; raise"):
        load_study("tiny", config)


def test_a_robust_posterior_of_more_features_than_its_density_holds_is_refused_before_a_run():
    study = load_study("jansen_rit@quick")
    study["diagnostics"]["robust"] = True
    with pytest.raises(ValueError, match=r"robust: the study has 588 features or more, 300 are the most"):
        check_evidence(study)
    few = load_study("wong_wang_coupling@quick")
    few["diagnostics"]["robust"] = True
    check_evidence(few)


def test_a_model_without_noise_has_no_noise_ceiling_to_require():
    study = load_study("epileptor")
    study["diagnostics"]["require"] = "noise_ceiling"
    with pytest.raises(ValueError, match="noise_ceiling compares simulations that differ by noise, and the model has"):
        check_required_grade(study)


@pytest.mark.parametrize("kind", ["features", "psd"])
def test_scores_of_series_are_refused_where_recordings_are_tables(kind):
    study = load_study("tiny")
    tables = replace(study, cohort={name: row | {"kind": kind} for name, row in study.cohort.items()})
    tables["diagnostics"]["scores"] = ["relative_psd_distance"]
    check_scores(tables)
    tables["diagnostics"]["scores"] = ["fc_correlation"]
    with pytest.raises(ValueError, match=r"diagnostics.scores: fc_correlation: .* compared by relative_psd_distance"):
        check_scores(tables)


@pytest.mark.parametrize(("kind", "grade"), [("features", "above_chance"), ("psd", "own_half")])
def test_a_grade_that_a_table_does_not_know_cannot_be_required(kind, grade):
    study = load_study("tiny")
    study["diagnostics"]["require"] = grade
    people = {name: row | {"kind": kind} for name, row in study.cohort.items()}
    with pytest.raises(ValueError, match=f"diagnostics.require: .*{next(iter(people))}"):
        check_required_grade(replace(study, cohort=people))


def test_who_learns_from_whom(config):
    edit(config, "cohort: tiny", "cohort: hcp_demo")
    assert load_study("tiny", config).estimators == ["101309", "102311"]
    cohort = load_study("tiny@cohort", config)
    assert cohort.estimators == ["pooled.all"] and cohort.connectome_of("101309") == "101309"
    assert (
        cohort.members("pooled.all") == cohort.subjects == cohort.subjects_of("pooled.all")
        and len(cohort.subjects) == 7
    )
    assert cohort.groups == ["fc", "connectome"]
    edit(config, "connectome: {per: pooled,", "connectome: {per: average,")
    average = load_study("tiny@cohort", config)
    assert average.estimators == ["average.all"] and average.network_of("101309") == "average.all"
    assert (
        average.connectome_of("101309") == "101309"
        and average.groups == ["fc"]
        and not average.pool_paths("average.all")
    )
    assert average.member_paths("average.all") == cohort.pool_paths("pooled.all")
    edit(config, "connectome: {per: average,", "connectome: {per: leave_one_out,")
    others = load_study("tiny@cohort", config)
    assert others.estimator_of("101309") == "leave_one_out.101309" and others.subjects_of("leave_one_out.101309") == [
        "101309"
    ]
    assert others.members("leave_one_out.101309") == [name for name in others.subjects if name != "101309"]
    rounds = load_study("tiny@rounds", config)
    assert rounds.round_of("101309", 1) == "101309" and rounds.round_of("101309", 2) == "subjects/101309/rounds/2"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("average: false", "average: true", "diagnostics.exact: needs observation.signals.x with average: false"),
        ("  G: {uniform: [0, 0.09]}", "  G: {uniform: [0, 0.09], per: node}", "one or two global"),
        ("scores: [fc_correlation]", "scores: [fit]", "diagnostics.scores: unknown score 'fit'; choose from fc_corr"),
        ("virtual-1: {G: 0.06, sigma: 0.12}", "virtual-1: {G: 0.06}", "truth.virtual-1: no value of sigma"),
        ("virtual-1: {G: 0.06,", "virtual-1: {G: 600,", "truth.virtual-1: G is 600, which its prior cannot give"),
        ("virtual-1: {G: 0.06,", "virtual-1: {G: [0.05, 0.06],", "truth.virtual-1: G: 2 values, it is one number"),
        ("virtual-1:", "virtual-2:", "truth: none of virtual-1, who has no recording"),
        (
            "features:\n",
            "preparation: {standardise: true}\nfeatures:\n",
            "knows nothing of preparation; leave exact out",
        ),
        ("observation:\n", "observation:\n  noise: {relative: true}\n", "knows nothing of .*noise"),
        ("prior:\n", "parameters: {speed: 3}\nprior:\n", "knows nothing of speed; leave exact out"),
        ("  G: {uniform: [0, 0.09]}", "  share_of_critical: {uniform: [0, 0.9]}", "knows nothing of share_of_critical"),
    ],
)
def test_mistakes_in_a_study_of_a_virtual_person_get_one_line(config, old, new, message):
    edit(config, "parameters: {tau: 10}\n", "", "studies/ou_network.yaml")
    edit(config, old, new, "studies/ou_network.yaml")
    with pytest.raises(ValueError, match=message) as error:
        load_study("ou_network", config)
    assert "\n" not in str(error.value)


def test_derived_parameters_can_be_inferred_and_have_units(config):
    edit(config, "G: {uniform: [1, 10]}", "share_of_critical: {uniform: [0.5, 1]}")
    study = load_study("tiny", config)
    assert study.units["share_of_critical"] == "1" and "share_of_critical" in study["prior"]
    edit(
        config,
        "share_of_critical: {uniform: [0.5, 1]}",
        "share_of_critical: {uniform: [0.5, 1]}\n  G: {uniform: [1, 2]}",
    )
    with pytest.raises(ValueError, match="share_of_critical and G are both given; G follows from share_of_critical"):
        load_study("tiny", config)


def test_discrepancy_needs_features_and_a_size(config):
    edit(config, "inference:\n", "discrepancy: [fc]\ninference:\n")
    with pytest.raises(ValueError, match="discrepancy lacks its size: write discrepancy into prior or parameters"):
        load_study("tiny", config)
    edit(config, "prior:\n", "prior:\n  discrepancy: {loguniform: [0.01, 0.2]}\n")
    assert load_study("tiny", config)["discrepancy"] == ["fc"]
    edit(config, "loguniform: [0.01, 0.2]", "loguniform: [0.01, 5]")
    with pytest.raises(ValueError, match="discrepancy: 5, but fc are correlations between -1 and 1; write at most 1"):
        load_study("tiny", config)
    edit(config, "loguniform: [0.01, 5]", "lognormal: [-3, 2]")  # numbers of a family are no sizes
    assert load_study("tiny", config)["discrepancy"] == ["fc"]
    edit(config, "lognormal: [-3, 2]", "loguniform: [0.01, 0.2]")
    edit(config, "discrepancy: [fc]", "discrepancy: [psd]")
    with pytest.raises(ValueError, match="unknown feature in discrepancy 'psd'; choose from"):
        load_study("tiny", config)
    edit(config, "discrepancy: [psd]\n", "")
    with pytest.raises(ValueError, match="discrepancy lacks features: list them there"):
        load_study("tiny", config)
