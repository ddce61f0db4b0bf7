"""Parameters that the posteriors of other people give, to be simulated for one person."""

from vbiflow.diagnostics.transfer import mix_posteriors
from vbiflow.exclusion import not_excluded
from vbiflow.io import Quantity, read, read_attributes, write
from vbiflow.job import job

with job(snakemake, reads_exclusions="others") as run:
    others = not_excluded(snakemake.input.others)
    theta = mix_posteriors([read(path, "theta")["theta"] for path in others])
    units = read_attributes(others[0], "theta")["unit"]
    quantities = {
        "theta": Quantity(theta, units, ("simulation", "parameter")),
        "names": Quantity.text(read(others[0], "names")["names"], "parameter"),
    }
    write(snakemake.output[0], quantities, run.provenance())
