"""The same acts as at the desk, from a terminal."""
