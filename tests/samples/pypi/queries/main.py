"""Lays out SQL and says what its statements do, with the public package sqlparse, used unchanged."""

import sqlparse


def execute(input, context):
    """Answers each statement of `input["sql"]`, laid out, with its type."""
    statements = sqlparse.parse(input["sql"])
    print(len(statements), "statements")
    return [
        {"type": one.get_type(), "sql": sqlparse.format(str(one), reindent=True, keyword_case="upper").strip()}
        for one in statements
    ]
