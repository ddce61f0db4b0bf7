"""Studies: settings (YAML, schema, defaults, scales), topology (who has which estimator, shard, path), and checks."""

from vbiflow.study.load import known_studies, load_study
from vbiflow.study.settings import load_config
from vbiflow.study.study import Study

__all__ = ["Study", "known_studies", "load_config", "load_study"]
