"""One module for each daemon of the lab: its configuration as a pure function, and how it is started."""
