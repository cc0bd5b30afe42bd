"""A store that counts what is asked of it, as a bill would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from core.model.dataset import SourceObject
from core.storage.ports import Held

PAGE = 1000
"""Keys a server lists at a time."""


class Counted:
    """Mixed into a store: `requests` by verb, a page of a listing as one. Not for many threads."""

    @property
    def requests(self) -> Counter[str]:
        found: Counter[str] = self.__dict__.setdefault("_requests", Counter())
        return found

    def said(self) -> str:
        """Say how many were made since this was last asked."""
        words = ", ".join(f"{number:,} {verb}" for verb, number in sorted(self.requests.items()))
        total = self.requests.total()
        self.requests.clear()
        return f"{total:,} requests: {words}"

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[SourceObject]:
        listed = super().list(prefix, start_after=start_after)  # type: ignore[misc]
        for number, item in enumerate(listed):
            self.requests["list"] += number % PAGE == 0
            yield item

    def get(self, key: str, *, limit: int, if_match: str | None = None) -> Held:
        self.requests["get"] += 1
        return super().get(key, limit=limit, if_match=if_match)  # type: ignore[misc,no-any-return]

    def head_bytes(self, key: str, count: int) -> bytes:
        self.requests["get"] += 1
        return super().head_bytes(key, count)  # type: ignore[misc,no-any-return]

    def stream(
        self, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Iterator[bytes]:
        self.requests["get"] += 1
        yield from super().stream(key, if_match=if_match, version_id=version_id)  # type: ignore[misc]

    def put_if_absent(self, key: str, body: bytes) -> None:
        self.requests["put"] += 1
        super().put_if_absent(key, body)  # type: ignore[misc]
