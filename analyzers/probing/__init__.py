"""What probes say, folded; each module keeps one kind of statistics, bounded, and can write itself down."""

from analyzers.probing.probing import Probing

__all__ = ["Probing"]
