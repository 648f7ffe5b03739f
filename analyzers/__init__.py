"""How we judge: the view (one fold over observations) and pure analyzers over it."""
