rule train:
    input:
        prior="results/{study}/{estimator}/prior.h5",
        features="results/{study}/{estimator}/features.h5",
    output:
        posterior="results/{study}/{estimator}/posterior.pt",
        training="results/{study}/{estimator}/training.json",
    log:
        "results/{study}/{estimator}/logs/train.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/train.tsv"
    conda:
        "../envs/infer.yaml"
    threads: threads_of("train")
    resources:
        mem_mb=memory("train"),
        runtime=minutes("train"),
    params:
        prior=setting("prior"),
        inference=of_study("inference_options", "inference"),
        seed=setting("seed"),
        code=code("scripts/train.py"),
    script:
        "../scripts/train.py"


# Other estimators, which learn from the same simulations as the study's own, beside which they stand.
use rule train as train_baseline with:
    output:
        posterior="results/{study}/{estimator}/baselines/{baseline}/posterior.pt",
        training="results/{study}/{estimator}/baselines/{baseline}/training.json",
    log:
        "results/{study}/{estimator}/logs/baselines/{baseline}.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/baselines/{baseline}.tsv"
    threads: threads_of("train")  # as many as the study's own, so that times compare
    resources:
        mem_mb=memory("train"),
        runtime=minutes("train", times=4),
    params:
        prior=setting("prior"),
        inference=baseline_options,
        seed=setting("seed"),
        code=code("scripts/train.py"),


rule truncate:
    input:
        posteriors=of_rounds_before("posterior.pt"),
        prior=of_round_before("prior.h5"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
    output:
        "results/{study}/subjects/{subject}/rounds/{round}/theta.h5",
    log:
        "results/{study}/subjects/{subject}/rounds/{round}/logs/truncate.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("truncate"),
        runtime=minutes("truncate"),
    params:
        n_simulations=of_study("n_simulations"),
        seed=setting("seed"),
        code=code("scripts/truncate.py"),
    script:
        "../scripts/truncate.py"


# Each round has a stream of random numbers of its own: another draw than those of the first round.
use rule simulate as simulate_round with:
    input:
        connectome=of_connectome("connectome.h5"),
        theta="results/{study}/subjects/{subject}/rounds/{round}/theta.h5",
    output:
        temp("results/{study}/subjects/{subject}/rounds/{round}/simulations/{shard}.h5"),
    log:
        "results/{study}/subjects/{subject}/rounds/{round}/logs/simulate/{shard}.log",
    benchmark:
        "results/{study}/subjects/{subject}/rounds/{round}/benchmarks/simulate/{shard}.tsv"
    params:
        **SIMULATE,
        stream=lambda wildcards: round_stream(int(wildcards.round)),
        theta="theta",
        rows=lambda wildcards: study_of(wildcards).rows(wildcards.shard),


use rule simulate_round as simulate_round_kept with:
    output:
        "results/{study}/subjects/{subject}/rounds/{round}/simulations/{shard}.h5",
    wildcard_constraints:
        study=KEPT,


ruleorder: simulate_round_kept > simulate_round


use rule features as features_round with:
    input:
        lead_field=if_projected(of_connectome("lead_field.h5")),
        connectome=of_connectome("connectome.h5"),
        simulations="results/{study}/subjects/{subject}/rounds/{round}/simulations/{shard}.h5",
    output:
        "results/{study}/subjects/{subject}/rounds/{round}/features/{shard}.h5",
    log:
        "results/{study}/subjects/{subject}/rounds/{round}/logs/features/{shard}.log",
    benchmark:
        "results/{study}/subjects/{subject}/rounds/{round}/benchmarks/features/{shard}.tsv"
    params:
        **FEATURES,
        stream=lambda wildcards: round_stream(int(wildcards.round)),
        code=code("scripts/features.py"),


use rule gather as gather_round with:
    input:
        shards("results/{study}/subjects/{subject}/rounds/{round}"),
    output:
        "results/{study}/subjects/{subject}/rounds/{round}/new.h5",
    log:
        "results/{study}/subjects/{subject}/rounds/{round}/logs/gather.log",


rule join_rounds:
    input:
        theta="results/{study}/subjects/{subject}/rounds/{round}/theta.h5",
        new="results/{study}/subjects/{subject}/rounds/{round}/new.h5",
        prior=of_round_before("prior.h5"),
        features=of_round_before("features.h5"),
    output:
        prior="results/{study}/subjects/{subject}/rounds/{round}/prior.h5",
        features="results/{study}/subjects/{subject}/rounds/{round}/features.h5",
    log:
        "results/{study}/subjects/{subject}/rounds/{round}/logs/join_rounds.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("join_rounds"),
        runtime=minutes("join_rounds"),
    params:
        seed=setting("seed"),
        code=code("scripts/join_rounds.py"),
    script:
        "../scripts/join_rounds.py"


use rule train as train_round with:
    input:
        prior="results/{study}/subjects/{subject}/rounds/{round}/prior.h5",
        features="results/{study}/subjects/{subject}/rounds/{round}/features.h5",
    output:
        posterior="results/{study}/subjects/{subject}/rounds/{round}/posterior.pt",
        training="results/{study}/subjects/{subject}/rounds/{round}/training.json",
    log:
        "results/{study}/subjects/{subject}/rounds/{round}/logs/train.log",
    benchmark:
        "results/{study}/subjects/{subject}/rounds/{round}/benchmarks/train.tsv"
