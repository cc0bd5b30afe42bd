"""A release is a version whose manifest exists; nothing half-made, forged or altered is one."""
