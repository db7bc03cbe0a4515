"""The project's client, for a host on which everything takes ten to twenty times as long."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from wsmgr.client import Client
from wsmgr.client.operation import Operation

T = TypeVar("T")

SLOWER = 10


class PatientClient(Client):
    """Waits longer for each answer; else the same."""

    def call(self, operation: Operation[T]) -> T:
        """As the client's own."""
        return super().call(replace(operation, timeout_s=operation.timeout_s * SLOWER))
