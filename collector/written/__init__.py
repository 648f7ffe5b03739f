"""Files that people write: YAML with each value's place in it, what is wrong said so that it can be put right."""
