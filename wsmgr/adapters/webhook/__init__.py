"""Notices of alerts by HTTP, signed."""

from __future__ import annotations

from wsmgr.adapters.webhook.notifier import WebhookNotifier

__all__ = ["WebhookNotifier"]
