"""Dashboards and alert rules for Grafana, as code.

What is shown is a model: frozen values in `model` and `query`, one module a dashboard in `boards`. `influxql` and
`metricsql` write a query in the one language or the other, `render` makes Grafana's JSON of a dashboard, `provision`
the files that Grafana reads at its start, and `push` hands dashboards to a Grafana that runs.
"""
