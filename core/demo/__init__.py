"""The demo bucket: dialogues written by us, the same bytes on every machine, safe to show."""
