"""From a listed key to a candidate: recognise, read, measure, redact, place, write."""
