"""Lists come in pages."""

from __future__ import annotations

from typing import Generic, TypeVar

from wsmgr.wire.base import Response

Item = TypeVar("Item")


class Page(Response, Generic[Item]):
    """`next` is the cursor to pass as `?before=` for the page that follows; null: this was the last."""

    items: list[Item]
    next: str | None = None
