# Virtual Brain Inference: connectome -> prior -> simulations -> features -> inference -> posterior -> diagnostics -> figures,
# and empirical recordings beside the simulations. README.md shows how to run it.
from snakemake.utils import min_version

min_version("9.0")


include: "rules/study.smk"


from vbiflow.lock import claim_when_run
from vbiflow.termination import describe_ends

claim_when_run(workflow, dated_folders)


include: "rules/connectome.smk"
include: "rules/prior.smk"
include: "rules/simulations.smk"
include: "rules/empirical.smk"
include: "rules/features.smk"
include: "rules/inference.smk"
include: "rules/feature_report.smk"
include: "rules/posterior.smk"
include: "rules/diagnostics.smk"
include: "rules/comparison.smk"
include: "rules/figure_table.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
include: "rules/case_study_files.smk"
include: "rules/case_studies.smk"


report: "rules/overview.rst"


# Nodes of a cluster rarely reach a network.
localrules:
    all,
    demo,
    download,
    unpack,


rule all:
    input:
        expand("results/{study}/report.html", study=CONFIG["studies"]),


rule demo:
    input:
        "results/hcp_linear@demo/report.html",


rule case_studies:
    input:
        "results/case_studies/report.html",


# Mistakes in the studies of a run are told before the DAG is built, in one line and no trace of Snakemake's; it parses
# rules before it knows the targets.
try:
    for name in (*asked_studies(sys.argv[1:]), *(CONFIG["studies"] if GIVEN else ())):
        find_study(name)
    if "case_studies" in config or any("case_studies" in one for one in sys.argv[1:]):
        for name in case_studies():
            find_study(name)
except WorkflowError as error:
    raise SystemExit(str(error)) from None
except MemoryError:
    raise SystemExit(
        "out of memory as the studies are read: raise the limit (ulimit -v)"
    ) from None


# A job that is killed for its memory, or cannot even load its libraries, can say nothing itself.
onerror:
    for line in describe_ends(log):
        print(line, file=sys.stderr)
