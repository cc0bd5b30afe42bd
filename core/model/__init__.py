"""Frozen types that every part of the desk passes around. Standard library only."""
