ESTIMATOR_FIGURES = [
    "connectome",
    "training",
    "recovery",
    "calibration",
    "features",
    "ablation",
    "baselines",
    "learning_curve",
    "invalid",
]
SUBJECT_FIGURES = [
    "marginals",
    "pairs",
    "exact",
    "rounds",
    "sensitivity",
    "local_c2st",
    "misspecification",
    "predictive",
    "fc",
    "fcd",
    "psd",
    "topography",
    "series",
]
COHORT_FIGURES = ["cohort", "covariates"]


rule figure_connectome:
    input:
        connectome="results/{study}/{estimator}/connectome.h5",
    output:
        report(
            "results/{study}/{estimator}/figures/connectome.svg",
            caption="report/connectome.rst",
            category="{study}",
            subcategory="Connectome",
            labels={"estimator": "{estimator}", "figure": "connectome"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_connectome.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_connectome.py"),
    script:
        "../scripts/figure_connectome.py"


rule figure_training:
    input:
        training="results/{study}/{estimator}/training.json",
    output:
        report(
            "results/{study}/{estimator}/figures/training.svg",
            caption="report/training.rst",
            category="{study}",
            subcategory="Estimator",
            labels={"estimator": "{estimator}", "figure": "training"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_training.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_training.py"),
    script:
        "../scripts/figure_training.py"


rule figure_recovery:
    input:
        diagnostics="results/{study}/{estimator}/diagnostics.h5",
    output:
        report(
            "results/{study}/{estimator}/figures/recovery.svg",
            caption="report/recovery.rst",
            category="{study}",
            subcategory="Estimator",
            labels={"estimator": "{estimator}", "figure": "recovery"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_recovery.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_recovery.py"),
    script:
        "../scripts/figure_recovery.py"


rule figure_calibration:
    input:
        diagnostics="results/{study}/{estimator}/diagnostics.h5",
    output:
        report(
            "results/{study}/{estimator}/figures/calibration.svg",
            caption="report/calibration.rst",
            category="{study}",
            subcategory="Estimator",
            labels={"estimator": "{estimator}", "figure": "calibration"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_calibration.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_calibration.py"),
    script:
        "../scripts/figure_calibration.py"


rule figure_features:
    input:
        report="results/{study}/{estimator}/features_report.json",
    output:
        report(
            "results/{study}/{estimator}/figures/features.svg",
            caption="report/features.rst",
            category="{study}",
            subcategory="Features",
            labels={"estimator": "{estimator}", "figure": "features"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_features.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_features.py"),
    script:
        "../scripts/figure_features.py"


rule figure_ablation:
    input:
        ablation="results/{study}/{estimator}/ablation.json",
    output:
        report(
            "results/{study}/{estimator}/figures/ablation.svg",
            caption="report/ablation.rst",
            category="{study}",
            subcategory="Features",
            labels={"estimator": "{estimator}", "figure": "ablation"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_ablation.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_ablation.py"),
    script:
        "../scripts/figure_ablation.py"


rule figure_invalid:
    input:
        prior="results/{study}/{estimator}/prior.h5",
        features="results/{study}/{estimator}/features.h5",
    output:
        report(
            "results/{study}/{estimator}/figures/invalid.svg",
            caption="report/invalid.rst",
            category="{study}",
            subcategory="Estimator",
            labels={"estimator": "{estimator}", "figure": "invalid"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_invalid.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_invalid.py"),
    script:
        "../scripts/figure_invalid.py"


rule figure_series:
    input:
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        predictive="results/{study}/subjects/{subject}/predictive.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/series.svg",
            caption="report/series.rst",
            category="{study}",
            subcategory="Predictions",
            labels={"subject": "{subject}", "figure": "series"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_series.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        measured=lambda wildcards: study_of(wildcards).compared_quantity(
            wildcards.subject
        ),
        code=code("scripts/figure_series.py"),
    script:
        "../scripts/figure_series.py"


rule figure_fc:
    input:
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        predictive="results/{study}/subjects/{subject}/predictive.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/fc.svg",
            caption="report/fc.rst",
            category="{study}",
            subcategory="Predictions",
            labels={"subject": "{subject}", "figure": "fc"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_fc.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_fc.py"),
    script:
        "../scripts/figure_fc.py"


rule figure_fcd:
    input:
        predictive="results/{study}/subjects/{subject}/predictive.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/fcd.svg",
            caption="report/fcd.rst",
            category="{study}",
            subcategory="Predictions",
            labels={"subject": "{subject}", "figure": "fcd"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_fcd.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_fcd.py"),
    script:
        "../scripts/figure_fcd.py"


rule figure_psd:
    input:
        predictive="results/{study}/subjects/{subject}/predictive.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/psd.svg",
            caption="report/psd.rst",
            category="{study}",
            subcategory="Predictions",
            labels={"subject": "{subject}", "figure": "psd"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_psd.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        measured=lambda wildcards: study_of(wildcards).compared_quantity(
            wildcards.subject
        ),
        code=code("scripts/figure_psd.py"),
    script:
        "../scripts/figure_psd.py"


rule figure_topography:
    input:
        lead_field=of_connectome("lead_field.h5"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        predictive="results/{study}/subjects/{subject}/predictive.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/topography.svg",
            caption="report/topography.rst",
            category="{study}",
            subcategory="Predictions",
            labels={"subject": "{subject}", "figure": "topography"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_topography.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_topography.py"),
    script:
        "../scripts/figure_topography.py"


rule figure_predictive:
    input:
        predictive="results/{study}/subjects/{subject}/predictive.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/predictive.svg",
            caption="report/predictive.rst",
            category="{study}",
            subcategory="Predictions",
            labels={"subject": "{subject}", "figure": "predictive"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_predictive.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        scores=setting("diagnostics", "scores"),
        code=code("scripts/figure_predictive.py"),
    script:
        "../scripts/figure_predictive.py"


rule figure_misspecification:
    input:
        features=of_first_round("features.h5"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        predictive="results/{study}/subjects/{subject}/predictive.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/misspecification.svg",
            caption="report/misspecification.rst",
            category="{study}",
            subcategory="Predictions",
            labels={"subject": "{subject}", "figure": "misspecification"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_misspecification.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        n_predictive=lambda wildcards: study_of(wildcards)["diagnostics"][
            "n_predictive"
        ],
        code=code("scripts/figure_misspecification.py"),
    script:
        "../scripts/figure_misspecification.py"


rule figure_marginals:
    input:
        prior=of_estimator("prior.h5"),
        samples="results/{study}/subjects/{subject}/samples.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/marginals.svg",
            caption="report/marginals.rst",
            category="{study}",
            subcategory="Posterior",
            labels={"subject": "{subject}", "figure": "marginals"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_marginals.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_marginals.py"),
    script:
        "../scripts/figure_marginals.py"


rule figure_pairs:
    input:
        prior=of_estimator("prior.h5"),
        samples="results/{study}/subjects/{subject}/samples.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/pairs.svg",
            caption="report/pairs.rst",
            category="{study}",
            subcategory="Posterior",
            labels={"subject": "{subject}", "figure": "pairs"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_pairs.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_pairs.py"),
    script:
        "../scripts/figure_pairs.py"


rule figure_baselines:
    input:
        baselines="results/{study}/{estimator}/baselines.json",
    output:
        report(
            "results/{study}/{estimator}/figures/baselines.svg",
            caption="report/baselines.rst",
            category="{study}",
            subcategory="Estimator",
            labels={"estimator": "{estimator}", "figure": "baselines"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_baselines.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_baselines.py"),
    script:
        "../scripts/figure_baselines.py"


rule figure_learning_curve:
    input:
        curves="results/{study}/{estimator}/learning_curve.h5",
    output:
        report(
            "results/{study}/{estimator}/figures/learning_curve.svg",
            caption="report/learning_curve.rst",
            category="{study}",
            subcategory="Estimator",
            labels={"estimator": "{estimator}", "figure": "learning curve"},
        ),
    log:
        "results/{study}/{estimator}/logs/figure_learning_curve.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_learning_curve.py"),
    script:
        "../scripts/figure_learning_curve.py"


rule figure_rounds:
    input:
        prior=of_first_round("prior.h5"),
        rounds=of_later_rounds("theta.h5"),
        samples="results/{study}/subjects/{subject}/samples.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/rounds.svg",
            caption="report/rounds.rst",
            category="{study}",
            subcategory="Posterior",
            labels={"subject": "{subject}", "figure": "rounds"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_rounds.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_rounds.py"),
    script:
        "../scripts/figure_rounds.py"


rule figure_sensitivity:
    input:
        sensitivity="results/{study}/subjects/{subject}/sensitivity.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/sensitivity.svg",
            caption="report/sensitivity.rst",
            category="{study}",
            subcategory="Posterior",
            labels={"subject": "{subject}", "figure": "sensitivity"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_sensitivity.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_sensitivity.py"),
    script:
        "../scripts/figure_sensitivity.py"


rule figure_local_c2st:
    input:
        local_c2st="results/{study}/subjects/{subject}/local_c2st.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/local_c2st.svg",
            caption="report/local_c2st.rst",
            category="{study}",
            subcategory="Posterior",
            labels={"subject": "{subject}", "figure": "local c2st"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_local_c2st.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_local_c2st.py"),
    script:
        "../scripts/figure_local_c2st.py"


rule figure_comparison:
    input:
        comparison="results/comparison/{studies}/{subject}.json",
    output:
        report(
            "results/comparison/{studies}/{subject}.svg",
            caption="report/comparison.rst",
            category="Comparison",
            labels={"studies": "{studies}", "subject": "{subject}"},
        ),
    log:
        "results/comparison/{studies}/logs/figure_{subject}.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_comparison.py"),
    script:
        "../scripts/figure_comparison.py"


rule figure_amortisation:
    input:
        people=lambda wildcards: expand(
            "results/amortisation/{studies}/{subject}.json",
            studies=wildcards.studies,
            subject=compared_studies(wildcards)[0].subjects,
        ),
    output:
        report(
            "results/amortisation/{studies}.svg",
            caption="report/amortisation.rst",
            category="Amortisation",
            labels={"studies": "{studies}"},
        ),
    log:
        "results/amortisation/logs/{studies}.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        subjects=lambda wildcards: compared_studies(wildcards)[0].subjects,
        studies=lambda wildcards: wildcards.studies.split("+"),
        code=code("scripts/figure_amortisation.py"),
    script:
        "../scripts/figure_amortisation.py"


rule figure_exact:
    input:
        exact="results/{study}/subjects/{subject}/exact.h5",
        samples="results/{study}/subjects/{subject}/samples.h5",
    output:
        report(
            "results/{study}/subjects/{subject}/figures/exact.svg",
            caption="report/exact.rst",
            category="{study}",
            subcategory="Posterior",
            labels={"subject": "{subject}", "figure": "exact"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figure_exact.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_exact.py"),
    script:
        "../scripts/figure_exact.py"


rule tabulate:
    input:
        "results/{study}/exclusions.json",
        samples=each_subject("samples.h5"),
        verdict=each_subject("verdict.json"),
        prior=each_estimator("prior.h5"),
    output:
        report(
            "results/{study}/cohort.tsv",
            category="{study}",
            subcategory="Cohort",
            labels={"figure": "table of posteriors"},
        ),
    log:
        "results/{study}/logs/tabulate.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        covariates=derived("covariates"),
        estimators=derived("estimators"),
        estimator_of=estimator_by_subject,
        code=code("scripts/tabulate.py"),
    script:
        "../scripts/tabulate.py"


rule figure_cohort:
    input:
        table="results/{study}/cohort.tsv",
        prior=each_estimator("prior.h5"),
    output:
        report(
            "results/{study}/figures/cohort.svg",
            caption="report/cohort.rst",
            category="{study}",
            subcategory="Cohort",
            labels={"figure": "cohort"},
        ),
    log:
        "results/{study}/logs/figure_cohort.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_cohort.py"),
    script:
        "../scripts/figure_cohort.py"


rule figure_covariates:
    input:
        table="results/{study}/cohort.tsv",
        prior=each_connectome("prior.h5"),
    output:
        report(
            "results/{study}/figures/covariates.svg",
            caption="report/covariates.rst",
            category="{study}",
            subcategory="Cohort",
            labels={"figure": "covariates"},
        ),
    log:
        "results/{study}/logs/figure_covariates.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("scripts/figure_covariates.py"),
    script:
        "../scripts/figure_covariates.py"


rule report:
    input:
        template="vbiflow/figures/report.html.jinja",
        captions=expand(
            "rules/report/{figure}.rst",
            figure=COHORT_FIGURES + ESTIMATOR_FIGURES + SUBJECT_FIGURES,
        ),
        exclusions="results/{study}/exclusions.json",
        connectome=each_estimator("connectome.h5"),
        prior=each_estimator("prior.h5"),
        features=each_estimator("features.h5"),
        training=each_estimator("training.json"),
        diagnostics=each_estimator("diagnostics.json"),
        features_report=each_estimator("features_report.json"),
        estimator_figures=estimator_figures,
        samples=each_subject("samples.h5"),
        verdict=each_subject("verdict.json"),
        subject_figures=subject_figures,
        cohort=of_cohort,
        pages=pages,
    output:
        report(
            "results/{study}/report.html",
            category="{study}",
            labels={"figure": "report"},
        ),
    log:
        "results/{study}/logs/report.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        study=lambda wildcards: wildcards.study,
        alone=lambda wildcards: wildcards.get("subject", ""),
        settings=derived("settings"),
        model=derived("model"),
        estimator_of=estimator_by_subject,
        code=code("scripts/report.py"),
    script:
        "../scripts/report.py"


use rule report as report_subject with:
    output:
        "results/{study}/subjects/{subject}/report.html",
    log:
        "results/{study}/subjects/{subject}/logs/report.log",
