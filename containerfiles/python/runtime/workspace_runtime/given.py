"""What a plugin is given beside its code, as it comes with `PUT /plugins/{slug}`. No message ever repeats any of it."""

from __future__ import annotations

from collections.abc import Mapping

from workspace_runtime.http_error import HttpError


def given_in(asked: Mapping[str, object]) -> dict[str, object]:
    """`{config, secrets}`. Raises HttpError."""
    config, secrets = asked.get("config"), asked.get("secrets")
    if config is not None and not isinstance(config, dict):
        raise HttpError(422, "invalid", '"config" must be an object.')
    texts = isinstance(secrets, dict) and all(isinstance(value, str) for value in secrets.values())
    if secrets is not None and not texts:
        raise HttpError(422, "invalid", '"secrets" must be an object whose values are strings.')
    return {"config": config or {}, "secrets": secrets or {}}
