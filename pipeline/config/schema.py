"""The JSON Schema of an intent file, for editors: completion, descriptions, and mistakes of shape while typing."""

from typing import Any

from anycast.intent import Role
from collector.written.words import DURATION
from pipeline.config.models import IntentFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an intent file, shorthands included.

    What it cannot say (names that exist, prefixes that are apart, host bits) `catchment check` does.
    """
    made = IntentFile.model_json_schema()
    parts = made["$defs"]
    short_role = {"enum": [str(role) for role in Role], "description": "Short for {role: ...}."}
    short_hold = {"type": "string", "pattern": f"^{DURATION}$", "description": "Short for {open: ...}."}
    parts["PlacementPart"] = {"anyOf": [short_role, parts["PlacementPart"]]}
    parts["HoldDownPart"] = {"anyOf": [short_hold, {"const": 0}, parts["HoldDownPart"]]}
    servers = made["properties"]["influx"]
    servers["anyOf"] = [{"$ref": "#/$defs/InfluxPart"}, {"type": servers.pop("type"), "items": servers.pop("items")}]
    parts["ServicePart"]["oneOf"] = [{"required": ["prefix"]}, {"required": ["prefixes"]}]
    _close(made)
    return {"$schema": DIALECT, **made}


def _close(node: Any) -> None:
    """Let no name pass that its pattern refuses: pydantic gives the pattern, and leaves other names open."""
    if isinstance(node, dict):
        if "patternProperties" in node:
            node["additionalProperties"] = False
        for child in node.values():
            _close(child)
    elif isinstance(node, list):
        for child in node:
            _close(child)
