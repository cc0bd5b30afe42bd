"""Documents that repeat a manifest and the evidence it lists, for people and for other tools."""
