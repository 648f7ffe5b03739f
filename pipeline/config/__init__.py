"""The intent file: YAML in, `Config` (with `anycast.intent.Intent`) out, and every mistake named at once."""

from collector.written.problem import ConfigError, Problem, Weight, rendered
from pipeline.config.load import check, load
from pipeline.config.settings import Config, Endpoint, Listen, Storage

__all__ = ["Config", "ConfigError", "Endpoint", "Listen", "Problem", "Storage", "Weight", "check", "load", "rendered"]
