"""One colour a region, the same on every page: eight that people with any eyes can tell apart, then grey."""

from collections.abc import Iterable, Mapping

COLOURS = 8


def palette(regions: Iterable[str]) -> Mapping[str, str]:
    """Return the class of each region's colour, by the order in which regions are named; "" is nobody's."""
    named = list(dict.fromkeys(region for region in regions if region))
    return {region: f"r{number}" if number < COLOURS else "nobody" for number, region in enumerate(named)}


def colour(colours: Mapping[str, str], region: str) -> str:
    """Return a region's class; that of nobody for one that is not known."""
    return colours.get(region, "nobody")
