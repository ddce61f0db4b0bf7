# What the posteriors of the other people of a cohort tell of one person.
rule mix_posteriors:
    input:
        others=other_samples,
    output:
        "results/{study}/subjects/{subject}/transfer/theta.h5",
    log:
        "results/{study}/subjects/{subject}/logs/mix_posteriors.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("mix_posteriors"),
        runtime=minutes("mix_posteriors"),
    params:
        code=code("scripts/mix_posteriors.py"),
    script:
        "../scripts/mix_posteriors.py"


use rule simulate_predictive as simulate_transfer with:
    input:
        connectome=of_connectome("connectome.h5"),
        theta="results/{study}/subjects/{subject}/transfer/theta.h5",
    output:
        temp("results/{study}/subjects/{subject}/transfer/simulations.h5"),
    log:
        "results/{study}/subjects/{subject}/logs/simulate_transfer.log",
    benchmark:
        "results/{study}/subjects/{subject}/benchmarks/simulate_transfer.tsv"
    params:
        **SIMULATE,
        stream=int(Stream.TRANSFER),
        theta="theta",
        rows=(0, N_TRANSFER),


rule transfer:
    input:
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        lead_field=if_projected(of_connectome("lead_field.h5")),
        simulations="results/{study}/subjects/{subject}/transfer/simulations.h5",
    output:
        "results/{study}/subjects/{subject}/transfer.json",
    log:
        "results/{study}/subjects/{subject}/logs/transfer.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("transfer"),
        runtime=minutes("transfer"),
    params:
        features=setting("features"),
        preparation=setting("preparation"),
        sensors=of_study("sensors"),
        signal=of_study("signal"),
        diagnostics=of_diagnostics("scores"),
        seed=setting("seed"),
        code=code("scripts/transfer.py"),
    script:
        "../scripts/transfer.py"


# results/comparison/<study>+<study>+.../models.tsv
rule compare_people:
    input:
        verdicts=each_compared("verdict.json"),
        transfers=each_compared("transfer.json"),
    output:
        people="results/comparison/{studies}/people.tsv",
        models="results/comparison/{studies}/models.tsv",
    log:
        "results/comparison/{studies}/logs/compare_people.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("compare_people"),
        runtime=minutes("compare_people"),
    params:
        who=lambda wildcards: [
            (study.name, subject)
            for study in compared_studies(wildcards)
            for subject in study.subjects
        ],
        models=lambda wildcards: {
            study.name: study.model["title"] for study in compared_studies(wildcards)
        },
        code=code("scripts/compare_people.py"),
    script:
        "../scripts/compare_people.py"


# results/comparison/<study>+<study>+.../<subject>.svg
rule compare:
    input:
        lambda wildcards: expand(
            "results/{study}/subjects/{subject}/predictive.h5",
            study=wildcards.studies.split("+"),
            subject=wildcards.subject,
        ),
    output:
        "results/comparison/{studies}/{subject}.json",
    log:
        "results/comparison/{studies}/logs/{subject}.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("compare"),
        runtime=minutes("compare"),
    params:
        studies=lambda wildcards: wildcards.studies.split("+"),
        code=code("scripts/compare.py"),
    script:
        "../scripts/compare.py"


# results/amortisation/<study>+<study with one estimator for many people>.svg
rule amortisation:
    input:
        unpack(amortisation_files),
    output:
        "results/amortisation/{studies}/{subject}.json",
    log:
        "results/amortisation/{studies}/logs/{subject}.log",
    conda:
        "../envs/infer.yaml"
    threads: 1
    resources:
        mem_mb=memory("amortisation"),
        runtime=minutes("amortisation"),
    params:
        inference=lambda wildcards: compared_studies(wildcards)[0]["inference"],
        seed=lambda wildcards: compared_studies(wildcards)[0]["seed"],
        code=code("scripts/amortisation.py"),
    script:
        "../scripts/amortisation.py"
