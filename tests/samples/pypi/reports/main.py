"""Sets figures as tables in several forms, with the public package tabulate, used unchanged."""

from tabulate import tabulate


def execute(input, context):
    """Answers the table of `input["rows"]` in each of `input["forms"]`."""
    return {form: tabulate(input["rows"], headers="keys", tablefmt=form, floatfmt=".2f") for form in input["forms"]}
