"""A recording through the whole pipeline, on a virtual clock: what it would have told, had it been heard live."""
