"""The files that Grafana reads at its start: data source, dashboards, alert rules and contact points.

No secret is in them: a token is named by its file (`$__file{...}`), which Grafana reads itself.
"""

import io
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import SAMPLED_EVERY, Variant
from dashboards.grafana.render import Setting, rendered
from dashboards.grafana.ruled import FOLDER, RECEIVER, rules

MOUNTED = "/etc/grafana/provisioning"
"""Where Grafana looks for such files, unless it is told otherwise."""
FOLDER_UID = "catchment"
_SERVERS = {Variant.INFLUXQL: "http://influxdb:8086", Variant.METRICSQL: "http://victoriametrics:8428"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are, as Grafana sees them."""

    server: str | None = None
    """URL of the time series database; None for the usual one of the variant."""
    database: str = "catchment"
    """InfluxDB's database or bucket."""
    token_file: str | None = None
    """Of the database's token; None where it asks for none."""
    alertmanager: str = "http://alertmanager:9093"
    webhook_url_file: str | None = None
    """A file with the URL of a webhook that is told as well; None for no webhook."""
    mounted: str = MOUNTED


def files(setting: Setting, place: Place) -> dict[str, bytes]:
    """Every file by its path below the folder of provisioning."""
    made = {f"dashboards/catchment/{name}": text for name, text in boards(setting).items()}
    made["dashboards/catchment.yaml"] = _yaml(_provider(place))
    made["datasources/catchment.yaml"] = _yaml(_sources(setting.variant, place))
    made["alerting/catchment-contact-points.yaml"] = _yaml(_contact_points(place))
    made["alerting/catchment-rules.yaml"] = _yaml(rules(setting))
    return made


def boards(setting: Setting) -> dict[str, bytes]:
    """Every dashboard by the name of its file."""
    return {f"{setting.variant.uid(board.name)}.json": rendered(board, setting) for board in BOARDS}


def _provider(place: Place) -> object:
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "catchment",
                "orgId": 1,
                "folder": FOLDER,
                "folderUid": FOLDER_UID,
                "type": "file",
                "disableDeletion": False,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 60,
                "options": {"path": str(PurePosixPath(place.mounted) / "dashboards" / "catchment")},
            }
        ],
    }


def _sources(variant: Variant, place: Place) -> object:
    word = "Token" if variant is Variant.INFLUXQL else "Bearer"
    settings: dict[str, object] = {"timeInterval": SAMPLED_EVERY}
    if variant is Variant.INFLUXQL:
        settings |= {"dbName": place.database, "httpMode": "POST", "version": "InfluxQL"}
    else:
        settings |= {"httpMethod": "POST"}
    source: dict[str, object] = {
        "name": f"Catchment ({variant})",
        "uid": variant.source_uid,
        "type": variant.source,
        "orgId": 1,
        "access": "proxy",
        "url": place.server or _SERVERS[variant],
        "editable": False,
        "jsonData": settings,
    }
    if place.token_file is not None:
        settings["httpHeaderName1"] = "Authorization"
        source["secureJsonData"] = {"httpHeaderValue1": f"{word} $__file{{{place.token_file}}}"}
    return {"apiVersion": 1, "datasources": [source]}


def _contact_points(place: Place) -> object:
    receivers = [
        {
            "uid": "catchment-alertmanager",
            "type": "prometheus-alertmanager",
            "settings": {"url": place.alertmanager},
            "disableResolveMessage": False,
        }
    ]
    if place.webhook_url_file is not None:
        receivers.append(
            {
                "uid": "catchment-webhook",
                "type": "webhook",
                "settings": {"url": f"$__file{{{place.webhook_url_file}}}"},
                "disableResolveMessage": False,
            }
        )
    return {"apiVersion": 1, "contactPoints": [{"orgId": 1, "name": RECEIVER, "receivers": receivers}]}


def _yaml(value: object) -> bytes:
    """YAML in which every text is quoted, so that no reader takes one for a number or a truth."""
    writer = YAML()
    writer.width = 1 << 16
    writer.indent(mapping=2, sequence=4, offset=2)
    out = io.BytesIO()
    writer.dump(_quoted(json.loads(json.dumps(value, cls=JSONEncoder))), out)
    return out.getvalue()


def _quoted(value: object) -> object:
    match value:
        case dict():
            return {key: _quoted(each) for key, each in value.items()}
        case list():
            return [_quoted(each) for each in value]
        case str():
            return DoubleQuotedScalarString(value)
        case _:
            return value
