"""Works out when recurring meetings take place, with the public package python-dateutil, used unchanged."""

from dateutil import parser, rrule


async def execute(input, context):
    """Answers the first `input["count"]` dates of each rule."""
    dates = {}
    for name, rule in input["rules"].items():
        start = parser.parse(rule["start"])
        found = rrule.rrulestr(rule["rule"], dtstart=start)
        dates[name] = [when.isoformat() for when in found.xafter(start, count=input["count"], inc=True)]
    return dates
