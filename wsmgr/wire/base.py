"""What every schema of the API shares."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Request(BaseModel):
    """A body that comes in: unknown members are refused (`user_id` too: only the JSON name is known), and no value is
    bent into another type. Made with `model_validate`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
    )


class Response(BaseModel):
    """A body that goes out. A client passes over members it does not know, so that the API can grow."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="ignore",
        frozen=True,
        # A client reads a few of these in its life, and a terminal UI waits for one before its first rows.
        defer_build=True,
    )


def whole(value: object) -> object:
    """JSON Schema calls 5.0 an integer, and so do some writers of JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
