"""Everything the desk knows. Imports neither the interface nor a chart library."""
