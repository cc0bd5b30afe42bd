"""A container is how an object is packed; here it is recognised from content and unpacked."""

from core.intake.containers.reader import RowReader, read_rows
from core.intake.containers.row import Row

__all__ = ["Row", "RowReader", "read_rows"]
