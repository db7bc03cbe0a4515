"""The composition root: the only place that sees every layer. The CLI calls the functions named here."""

from __future__ import annotations

from wsmgr.bootstrap.detached import detach, shutdown
from wsmgr.bootstrap.local import check_plugin, run_plugin
from wsmgr.bootstrap.offline import (
    build_image,
    check_plans,
    create_token,
    default_plans,
    delete_token,
    forget_secrets,
    list_tokens,
    probe,
)
from wsmgr.bootstrap.run import serve

__all__ = [
    "build_image",
    "check_plans",
    "check_plugin",
    "create_token",
    "default_plans",
    "delete_token",
    "detach",
    "forget_secrets",
    "list_tokens",
    "probe",
    "run_plugin",
    "serve",
    "shutdown",
]
