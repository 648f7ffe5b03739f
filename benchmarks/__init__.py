"""Side-by-side measurements. `make bench` runs them all; each is a script that anybody can rerun by itself."""
