"""Another program that holds a database's locks, on a plain connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy import make_url


@contextmanager
def locked(url: str) -> Iterator[None]:
    """While this lasts, nobody else can write executions."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
    else:
        with psycopg.connect(url) as session:
            session.execute("LOCK TABLE executions IN ACCESS EXCLUSIVE MODE")
            yield
            session.rollback()


def execute(url: str, statement: str) -> None:
    """Carry out one statement behind the store's back."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as other:
            other.execute(statement)
    else:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(statement)
