"""Put the verdicts on the same people by several studies into tables: a row a person, and a row a study."""

from vbiflow.diagnostics.people_comparison import columns_of, person_row, summarise_people
from vbiflow.exclusion import not_excluded
from vbiflow.io import read_json, write_text
from vbiflow.job import job
from vbiflow.text_tables import tab_separated

with job(snakemake, reads_exclusions=True) as run:
    files, rows = zip(snakemake.params.who, snakemake.input.verdicts, snakemake.input.transfers, strict=True), []
    for (study, subject), verdict, transfer in files:
        if not_excluded([verdict, transfer]) == [verdict, transfer]:
            rows.append(person_row(study, subject, read_json(verdict), read_json(transfer)))
    tables = {"people": rows, "models": summarise_people(rows, snakemake.params.models)}
    for name, table in tables.items():
        write_text(snakemake.output[name], tab_separated(columns_of(table), table), seals=True)
    run.say(snakemake.output.models)
