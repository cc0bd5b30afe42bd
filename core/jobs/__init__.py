"""Long work runs in a process of its own; closing the browser or the server ends nothing."""
