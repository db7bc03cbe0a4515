"""What a shell offers after the tab key. Whatever goes wrong, it offers nothing and says nothing."""

from __future__ import annotations


def plan_names(incomplete: str) -> list[str]:
    """The daemon's plans that begin so."""
    from wsmgr.client import Client, ClientError  # noqa: PLC0415  # httpx only when a call is made

    try:
        with Client() as client:
            names = [plan.name for plan in client.plans().items]
    except ClientError:
        return []
    return [name for name in names if name.startswith(incomplete.upper())]


def limit_names(incomplete: str) -> list[str]:
    """The limits that begin so."""
    from wsmgr.wire.plan import LimitChanges  # noqa: PLC0415  # pydantic only when it is needed

    names = [field.alias or name for name, field in LimitChanges.model_fields.items()]
    return [name for name in names if name.startswith(incomplete)]


def limit_assignments(incomplete: str) -> list[str]:
    """The same, with the sign that a value follows."""
    return [f"{name}=" for name in limit_names(incomplete)]
