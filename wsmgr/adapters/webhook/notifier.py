"""POSTs notices to one URL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import orjson

from wsmgr.adapters.webhook.signing import signed_headers
from wsmgr.core.alert import Notice
from wsmgr.ports.notifier import NotDelivered


class WebhookNotifier:
    """Implements ports.notifier.Notifier. Any answer 2xx is a delivery; its body is not read.

    Signed as `signing` says. Redirects and the proxies of the environment
    are not followed: they would take what is told to somebody else.
    """

    def __init__(
        self, url: str, secret: str, *, timeout_s: float = 5.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._url = url
        # Without the path and the query, which may hold a secret of the receiver.
        self._host = urlsplit(url).hostname
        self._secret = secret.encode()
        self._timeout_s = timeout_s
        self._clock = clock
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=2, keepalive_expiry=5.0)
        self._http = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits, timeout=timeout_s)

    async def deliver(self, notice: Notice) -> None:
        """Send it once. Raises NotDelivered after `timeout_s` seconds at the latest."""
        body = orjson.dumps(_document(notice))
        headers = signed_headers(self._secret, self._clock(), body, notice.id)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
        except TimeoutError:
            raise NotDelivered(f"The receiver {self._host} did not answer within {self._timeout_s:g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Only its kind: the text of some of these errors quotes the URL.
            raise NotDelivered(f"The receiver {self._host} was not reached: {type(error).__name__}.") from None
        if not 200 <= status < 300:
            raise NotDelivered(f"The receiver {self._host} answered {status}.")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _document(notice: Notice) -> dict[str, object]:
    alert = notice.alert
    return {
        "type": f"alert.{notice.stage.value}",
        "alert": {
            "id": alert.id,
            "cause": alert.cause,
            "severity": alert.severity.value,
            "sentence": alert.sentence,
            "workspace": alert.workspace,
            "raisedAt": alert.raised_at,
            "resolvedAt": alert.resolved_at,
        },
    }
