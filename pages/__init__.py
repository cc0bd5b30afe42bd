"""One short script per page: guard, ask the workbench, draw. No domain logic."""
