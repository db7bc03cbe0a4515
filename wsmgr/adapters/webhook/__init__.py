"""What is told to others by HTTP, signed: notices of alerts, and the ends of executions."""

from __future__ import annotations

from wsmgr.adapters.webhook.caller import WebhookCaller
from wsmgr.adapters.webhook.notifier import WebhookNotifier

__all__ = ["WebhookCaller", "WebhookNotifier"]
