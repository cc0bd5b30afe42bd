"""The demo bucket's key for readers, as lines for a shell: `eval "$(python -m core.demo.reader)"`.

It may list and get in a bucket of invented data on this machine, and nothing else.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from core.model.errors import DeskError
from core.settings import BucketSettings, read_settings
from core.storage.embedded import ensure_running, read_only_settings

_ROOT = Path(__file__).resolve().parents[2]


def shell_lines(reader: BucketSettings) -> Iterator[str]:
    """Yield a line for each variable by which a reader is told of a bucket."""
    for name in ("endpoint", "bucket", "region", "access_key", "secret_key"):
        yield f"export DESK_S3_{name.upper()}={shlex.quote(str(getattr(reader, name)))}"


def main() -> int:
    """Print the lines; 2 where a real bucket is set, whose keys are not ours to print."""
    try:
        settings = read_settings(os.environ, home=_ROOT)
        if settings.bucket is not None:
            sys.stderr.write("A bucket is set already; only the demo bucket's key is told.\n")
            return 2
        ensure_running(settings.workspace)
        sys.stdout.write("\n".join((*shell_lines(read_only_settings(settings.workspace)), "")))
    except DeskError as error:
        sys.stderr.write(f"{error.code}: {error.sentence}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
