rule calibrate:
    input:
        prior="results/{study}/{estimator}/prior.h5",
        features="results/{study}/{estimator}/features.h5",
        posterior="results/{study}/{estimator}/posterior.pt",
    output:
        diagnostics="results/{study}/{estimator}/diagnostics.h5",
        verdict="results/{study}/{estimator}/diagnostics.json",
    log:
        "results/{study}/{estimator}/logs/calibrate.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/calibrate.tsv"
    conda:
        "../envs/infer.yaml"
    threads: threads_of("calibrate")
    resources:
        mem_mb=memory("calibrate"),
        runtime=minutes("calibrate"),
    params:
        inference=of_study("inference_options", "inference"),
        diagnostics=of_diagnostics("thresholds"),
        seed=setting("seed"),
        code=code("scripts/calibrate.py"),
    script:
        "../scripts/calibrate.py"


use rule calibrate as calibrate_round with:
    input:
        prior="results/{study}/subjects/{subject}/rounds/{round}/prior.h5",
        features="results/{study}/subjects/{subject}/rounds/{round}/features.h5",
        posterior="results/{study}/subjects/{subject}/rounds/{round}/posterior.pt",
    output:
        diagnostics="results/{study}/subjects/{subject}/rounds/{round}/diagnostics.h5",
        verdict="results/{study}/subjects/{subject}/rounds/{round}/diagnostics.json",
    log:
        "results/{study}/subjects/{subject}/rounds/{round}/logs/calibrate.log",
    benchmark:
        "results/{study}/subjects/{subject}/rounds/{round}/benchmarks/calibrate.tsv"


rule posterior_predictive:
    input:
        prior=of_estimator("prior.h5"),
        features=of_estimator("features.h5"),
        posterior=of_estimator("posterior.pt"),
        diagnostics=of_estimator("diagnostics.json"),
        calibration=of_estimator("diagnostics.h5"),
        samples="results/{study}/subjects/{subject}/samples.h5",
        others=other_recordings("x_o.h5"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
        lead_field=if_projected(of_connectome("lead_field.h5")),
        robust=if_diagnosed("robust", "results/{study}/subjects/{subject}/robust.h5"),
        controls=if_controlled(
            "results/{study}/subjects/{subject}/negative_controls.json"
        ),
        simulations="results/{study}/subjects/{subject}/predictive/simulations.h5",
        predictive="results/{study}/subjects/{subject}/predictive/features.h5",
    output:
        predictive="results/{study}/subjects/{subject}/predictive.h5",
        verdict="results/{study}/subjects/{subject}/verdict.json",
    log:
        "results/{study}/subjects/{subject}/logs/posterior_predictive.log",
    conda:
        "../envs/infer.yaml"
    resources:
        mem_mb=memory("posterior_predictive"),
        runtime=minutes("posterior_predictive"),
    params:
        features=setting("features"),
        discrepancy=setting("discrepancy"),
        parameters=setting("parameters"),
        preparation=setting("preparation"),
        sensors=of_study("sensors"),
        signal=of_study("signal"),
        deterministic=of_study("deterministic"),
        inference=of_study("inference_options", "inference"),
        diagnostics=of_diagnostics("n_predictive", "scores", "thresholds", "require"),
        n_rounds=of_study("n_rounds"),
        fitted_part=of_study("fitted_part", "connectome.effective"),
        seed=setting("seed"),
        code=code("scripts/posterior_predictive.py"),
    script:
        "../scripts/posterior_predictive.py"


rule baselines:
    input:
        prior="results/{study}/{estimator}/prior.h5",
        features="results/{study}/{estimator}/features.h5",
        posteriors=of_each_estimator("posterior.pt"),
        trainings=of_each_estimator("training.json"),
        optimised=lambda wildcards: (
            "results/{study}/{estimator}/optimised.json"
            if study_of(wildcards)["diagnostics"]["optimise"]
            else []
        ),
    output:
        "results/{study}/{estimator}/baselines.json",
    log:
        "results/{study}/{estimator}/logs/baselines.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/baselines.tsv"
    conda:
        "../envs/infer.yaml"
    threads: threads_of("baselines")
    resources:
        mem_mb=memory("baselines"),
        runtime=minutes("baselines"),
    params:
        inference=of_study("inference_options", "inference"),
        estimators=of_study("estimator_names"),
        seed=setting("seed"),
        code=code("scripts/baselines.py", compared=True),
    script:
        "../scripts/baselines.py"


rule learning_curve:
    input:
        prior="results/{study}/{estimator}/prior.h5",
        features="results/{study}/{estimator}/features.h5",
    output:
        "results/{study}/{estimator}/learning_curve.h5",
    log:
        "results/{study}/{estimator}/logs/learning_curve.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/learning_curve.tsv"
    conda:
        "../envs/infer.yaml"
    threads: threads_of("learning_curve")
    resources:
        mem_mb=memory("learning_curve"),
        runtime=minutes("learning_curve"),
    params:
        inference=of_study("inference_options", "inference"),
        diagnostics=of_diagnostics("learning_curve", "estimators"),
        seed=setting("seed"),
        code=code("scripts/learning_curve.py", compared=True),
    script:
        "../scripts/learning_curve.py"


rule optimise:
    input:
        connectome="results/{study}/{estimator}/connectome.h5",
        prior="results/{study}/{estimator}/prior.h5",
        features="results/{study}/{estimator}/features.h5",
    output:
        "results/{study}/{estimator}/optimised.json",
    log:
        "results/{study}/{estimator}/logs/optimise.log",
    benchmark:
        "results/{study}/{estimator}/benchmarks/optimise.tsv"
    conda:
        "../envs/infer.yaml"
    threads: threads_of("optimise")
    resources:
        mem_mb=memory("optimise"),
        runtime=minutes("optimise"),
    params:
        model=setting("model"),
        parameters=setting("parameters"),
        simulation=of_study("simulation"),
        observation=of_study("recorded", "observation"),
        signal=of_study("signal"),
        features=setting("features"),
        inference=of_study("inference_options", "inference"),
        diagnostics=of_diagnostics("optimise", "scores"),
        budget=of_study("n_simulations"),
        seed=setting("seed"),
        code=code("scripts/optimise.py"),
    script:
        "../scripts/optimise.py"


rule sensitivity:
    input:
        posterior=of_estimator("posterior.pt"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
    output:
        "results/{study}/subjects/{subject}/sensitivity.h5",
    log:
        "results/{study}/subjects/{subject}/logs/sensitivity.log",
    conda:
        "../envs/infer.yaml"
    threads: threads_of("sensitivity")
    resources:
        mem_mb=memory("sensitivity"),
        runtime=minutes("sensitivity"),
    params:
        seed=setting("seed"),
        code=code("scripts/sensitivity.py"),
    script:
        "../scripts/sensitivity.py"


rule local_c2st:
    input:
        prior=of_estimator("prior.h5"),
        features=of_estimator("features.h5"),
        posterior=of_estimator("posterior.pt"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
    output:
        "results/{study}/subjects/{subject}/local_c2st.h5",
    log:
        "results/{study}/subjects/{subject}/logs/local_c2st.log",
    conda:
        "../envs/infer.yaml"
    threads: threads_of("local_c2st")
    resources:
        mem_mb=memory("local_c2st"),
        runtime=minutes("local_c2st"),
    params:
        inference=of_study("inference_options", "inference"),
        seed=setting("seed"),
        code=code("scripts/local_c2st.py"),
    script:
        "../scripts/local_c2st.py"


rule robust:
    input:
        prior=of_estimator("prior.h5"),
        features=of_estimator("features.h5"),
        posterior=of_estimator("posterior.pt"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
    output:
        "results/{study}/subjects/{subject}/robust.h5",
    log:
        "results/{study}/subjects/{subject}/logs/robust.log",
    conda:
        "../envs/infer.yaml"
    threads: threads_of("robust")
    resources:
        mem_mb=memory("robust"),
        runtime=minutes("robust"),
    params:
        inference=of_study("inference_options", "inference"),
        posterior=setting("posterior"),
        seed=setting("seed"),
        code=code("scripts/robust.py"),
    script:
        "../scripts/robust.py"


rule negative_controls:
    input:
        prior=of_estimator("prior.h5"),
        features=of_estimator("features.h5"),
        posterior=of_estimator("posterior.pt"),
        calibration=of_estimator("diagnostics.h5"),
        x_o="results/{study}/subjects/{subject}/x_o.h5",
    output:
        "results/{study}/subjects/{subject}/negative_controls.json",
    log:
        "results/{study}/subjects/{subject}/logs/negative_controls.log",
    conda:
        "../envs/infer.yaml"
    threads: threads_of("negative_controls")
    resources:
        mem_mb=memory("negative_controls"),
        runtime=minutes("negative_controls"),
    params:
        features=setting("features"),
        preparation=setting("preparation"),
        duration=setting("simulation", "duration"),
        inference=of_study("inference_options", "inference"),
        diagnostics=of_diagnostics("thresholds"),
        seed=setting("seed"),
        code=code("scripts/negative_controls.py"),
    script:
        "../scripts/negative_controls.py"
