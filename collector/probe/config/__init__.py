"""The agent's own file: its values, and how it is read."""
