"""What the environment says, read once at start and checked. Nothing else in the runtime reads the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

MEBIBYTE = 1024 * 1024
_LISTEN = re.compile(r"(?:(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):)?([0-9]{1,5})")
_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")
_HANDED_IN = re.compile(r"fd:([0-9]{1,5})")
_NUMBER = re.compile(r"[0-9]{1,15}")


class SettingsError(Exception):
    """A setting that cannot be used. Its message is one line and names the variable."""


class Settings:
    """Every setting. It listens on the socket that was handed in as `descriptor`, else at `path`, else on TCP, at
    `host` and `port`. `pids`: how many processes and threads the workspace may have, 0: as many as RLIMIT_NPROC says.
    `open_proc`: `/proc` of the runtime stays readable for its own user, who needs that where there is no process of the
    sandbox in front of it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        listen = env.get("LISTEN", "3000")
        self.descriptor = parse_descriptor(listen)
        self.path, self.host, self.port = (None, "", 0) if self.descriptor is not None else parse_listen(listen)
        self.memory_bytes = _integer(env, "WSMGR_MEMORY_MB", 256, 32, 1024 * 1024) * MEBIBYTE
        self.concurrency = _integer(env, "WSMGR_CONCURRENCY", 4, 1, 256)
        self.pids = _integer(env, "WSMGR_PIDS", 0, 0, 1024 * 1024)
        self.output_bytes = _integer(env, "WSMGR_OUTPUT_BYTES", MEBIBYTE, 1, 256 * MEBIBYTE)
        self.log_bytes = _integer(env, "WSMGR_LOG_BYTES", 65536, 0, 16 * MEBIBYTE)
        self.input_bytes = _integer(env, "WSMGR_INPUT_BYTES", 8 * MEBIBYTE, 64, 256 * MEBIBYTE)
        self.load_timeout_ms = _integer(env, "WSMGR_LOAD_TIMEOUT_MS", 5000, 10, 600_000)
        self.token = _token(env.get("WSMGR_TOKEN"))
        self.plugin_dir = env.get("PLUGIN_DIR") or "/plugins"
        self.open_proc = env.get("WSMGR_OPEN_PROC") == "1"


def parse_descriptor(text: str) -> int | None:
    """`LISTEN=fd:number`: a socket that is bound already."""
    match = _HANDED_IN.fullmatch(text)
    return int(match[1]) if match else None


def parse_listen(text: str) -> tuple[str | None, str, int]:
    """`LISTEN`: a path (it contains a slash), `port`, `host:port` or `[v6]:port`. Port 0 means any free one."""
    if "/" in text:
        return text, "", 0
    match = _LISTEN.fullmatch(text)
    port = int(match[3]) if match else -1
    if match is None or not 0 <= port <= 65535:
        raise SettingsError(
            f"LISTEN={_quote(text)} is neither a socket path (with a slash), a port, host:port, nor fd:number"
        )
    return None, match[1] or match[2] or "0.0.0.0", port  # noqa: S104 (inside the workspace's own network namespace)


def _integer(env: Mapping[str, str], name: str, fallback: int, least: int, most: int) -> int:
    text = env.get(name, "")
    if text == "":
        return fallback
    value = int(text) if _NUMBER.fullmatch(text) else -1
    if not least <= value <= most:
        raise SettingsError(f"{name}={_quote(text)} must be a whole number from {least} to {most}")
    return value


def _token(text: str | None) -> bytes | None:
    if not text:
        return None
    if not _TOKEN.fullmatch(text):
        raise SettingsError("WSMGR_TOKEN must be 1 to 512 printable ASCII characters without spaces")
    return text.encode()


def _quote(text: str) -> str:
    return ascii(text[:100])
