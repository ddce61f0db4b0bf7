rule figures_subject:
    input:
        unpack(inputs_of("subject")),
    output:
        report(
            directory("results/{study}/subjects/{subject}/figures"),
            patterns=["{figure}.svg"],
            caption="report/figure.rst",
            category="{study}",
            subcategory=category_of,
            labels={"subject": "{subject}", "figure": "{figure}"},
        ),
    log:
        "results/{study}/subjects/{subject}/logs/figures.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory("figures"),
        runtime=minutes("figures"),
    params:
        **figures_of("subject"),
    script:
        "../scripts/figures.py"


use rule figures_subject as figures_estimator with:
    input:
        unpack(inputs_of("estimator")),
    output:
        report(
            directory("results/{study}/{estimator}/figures"),
            patterns=["{figure}.svg"],
            caption="report/figure.rst",
            category="{study}",
            subcategory=category_of,
            labels={"estimator": "{estimator}", "figure": "{figure}"},
        ),
    log:
        "results/{study}/{estimator}/logs/figures.log",
    params:
        **figures_of("estimator"),


use rule figures_subject as figures_cohort with:
    input:
        unpack(inputs_of("cohort")),
    output:
        report(
            directory("results/{study}/figures"),
            patterns=["{figure}.svg"],
            caption="report/figure.rst",
            category="{study}",
            subcategory=category_of,
            labels={"figure": "{figure}"},
        ),
    log:
        "results/{study}/logs/figures.log",
    params:
        **figures_of("cohort"),


use rule figures_subject as figure_comparison with:
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
    params:
        **figures_of("comparison"),


use rule figures_subject as figure_amortisation with:
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
    params:
        **figures_of("amortisation"),
