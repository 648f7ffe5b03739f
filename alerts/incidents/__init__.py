"""Incidents: which findings one cause explains, as a table (`causes`), and the fold that gathers them (`fold`)."""
