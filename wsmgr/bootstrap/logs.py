"""Logging: readable on a terminal, JSON elsewhere, always with the fields that the code gave."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler

import structlog

from wsmgr.settings import Settings

LOG_FILE_BYTES = 10 * 1024 * 1024
LOG_FILES = 3


def configure(settings: Settings) -> None:
    """Set up structlog and the standard library's logging (uvicorn's, alembic's) alike."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_empty,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _handler(settings)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings)],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    # httpx writes whole URLs, and that of a webhook may hold a secret.
    for noisy in ("alembic", "urllib3", "podman", "asyncio", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    # A client's malformed request is the client's mistake, answered with 400, not the operator's news.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def _handler(settings: Settings) -> logging.Handler:
    if settings.log_file is None:
        return logging.StreamHandler(sys.stderr)
    return RotatingFileHandler(settings.log_file, maxBytes=LOG_FILE_BYTES, backupCount=LOG_FILES, encoding="utf-8")


def _renderers(settings: Settings) -> list[structlog.typing.Processor]:
    terminal = settings.log_file is None and sys.stderr.isatty()
    if settings.log_format == "console" or (settings.log_format == "auto" and terminal):
        # Its own way to show an exception prints the values of local variables, and one may be a secret.
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(terminal and "NO_COLOR" not in os.environ, exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _without_empty(
    _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {key: value for key, value in event.items() if value is not None}
