"""How what is POSTed is signed."""

from __future__ import annotations

import hashlib
import hmac


def signed_headers(secret: bytes, now: float, body: bytes, delivery: str) -> dict[str, str]:
    """`X-Wsmgr-Signature` is `sha256=` and the HMAC of `<X-Wsmgr-Timestamp>.<body>` under the secret, in hexadecimal.
    The same delivery has the same `X-Wsmgr-Delivery` however often it is sent."""
    timestamp = str(int(now))
    signature = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "wsmgr",
        "X-Wsmgr-Timestamp": timestamp,
        "X-Wsmgr-Signature": f"sha256={signature}",
        "X-Wsmgr-Delivery": delivery,
    }
