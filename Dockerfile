# vbiflow with the packages of its lock.
#   docker build -t vbiflow .
#   docker run --rm -v "$PWD:/work" -w /work vbiflow snakemake --snakefile /opt/vbiflow/Snakefile results/tiny/report.html
# With Apptainer: apptainer build vbiflow.sif docker-daemon://vbiflow:latest
#   apptainer exec vbiflow.sif snakemake --snakefile /opt/vbiflow/Snakefile results/tiny/report.html
FROM python:3.11-slim-bookworm
COPY envs/requirements.lock /opt/vbiflow/envs/requirements.lock
RUN pip install --no-cache-dir --requirement /opt/vbiflow/envs/requirements.lock
COPY Snakefile LICENSE README.md /opt/vbiflow/
COPY rules /opt/vbiflow/rules
COPY scripts /opt/vbiflow/scripts
COPY envs /opt/vbiflow/envs
COPY profiles /opt/vbiflow/profiles
COPY config /opt/vbiflow/config
COPY resources /opt/vbiflow/resources
COPY vbiflow /opt/vbiflow/vbiflow
ENV PYTHONPATH=/opt/vbiflow NUMBA_CACHE_DIR=/tmp/numba
WORKDIR /work
CMD ["snakemake", "--help"]
