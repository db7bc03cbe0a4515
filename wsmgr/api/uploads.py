"""Bodies that may be of more than one media type."""

from __future__ import annotations

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from wsmgr.core.errors import WsmgrError
from wsmgr.wire.plugin import PutPlugin


class UnsupportedMedia(WsmgrError):
    """The body is of a type that this path does not take."""

    code = "unsupported_media_type"
    status = 415


def media_type(request: Request) -> str:
    """The media type of a body, JSON where none is said."""
    said = request.headers.get("content-type", "application/json")
    return said.partition(";")[0].strip().lower()


def put_plugin_of(body: bytes) -> PutPlugin:
    """The JSON form. Raises RequestValidationError, as the framework does for the bodies that it reads itself."""
    try:
        return PutPlugin.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        mistake = {"loc": ("body", error.pos), "msg": f"JSON decode error: {error.msg}", "type": "json_invalid"}
        raise RequestValidationError([mistake]) from None
    except ValidationError as error:
        mistakes = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(mistakes) from None
