"""The web console: one page that answers what is advertised where, what is wrong, and what just happened."""

from dashboards.console.page import mount

__all__ = ["mount"]
