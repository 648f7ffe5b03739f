"""Points of time series, made from what the daemon has: pure functions, and what gathers their results."""
