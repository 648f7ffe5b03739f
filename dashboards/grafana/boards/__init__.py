"""Every dashboard, in the order in which they are listed."""

from dashboards.grafana.boards.convergence import CONVERGENCE
from dashboards.grafana.boards.findings import FINDINGS
from dashboards.grafana.boards.overview import OVERVIEW
from dashboards.grafana.boards.own import OWN
from dashboards.grafana.boards.region import REGION
from dashboards.grafana.boards.routing import ROUTING
from dashboards.grafana.boards.service import SERVICE
from dashboards.grafana.boards.site import SITE
from dashboards.grafana.model import Board

BOARDS: tuple[Board, ...] = (OVERVIEW, SERVICE, SITE, REGION, CONVERGENCE, ROUTING, FINDINGS, OWN)
