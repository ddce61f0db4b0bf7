"""Make a table of regional maps from values on the vertices of a surface."""

from vbiflow.connectome.surface_maps import save_maps
from vbiflow.datasets import load_catalogue
from vbiflow.job import job
from vbiflow.study.settings import user_path

with job(snakemake):
    files = snakemake.params.files
    regions = files["regions"] and user_path(files["regions"])
    save_maps(snakemake.output[0], **files | {"regions": regions})
    print(load_catalogue()[snakemake.wildcards.dataset].credit())
