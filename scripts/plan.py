"""Say what a study would cost: hours, jobs, disk, memory and wall time, from a few simulations on this machine."""

from vbiflow.io import write_text
from vbiflow.job import job
from vbiflow.study import load_study
from vbiflow.study.plan import plan_study

with job(snakemake) as run:
    text = plan_study(load_study(snakemake.wildcards.study), jobs=snakemake.params.jobs).text()
    write_text(snakemake.output[0], f"{text}\n")
    run.say(text)
