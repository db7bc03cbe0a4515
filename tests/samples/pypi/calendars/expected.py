"""The same answer straight from the package, on this machine, with no plugin and no wsmgr in between."""

import json
import sys
from itertools import islice

import dateutil.parser
import dateutil.rrule

asked = json.load(open(sys.argv[1], encoding="utf-8"))
answer = {}
for name, rule in asked["rules"].items():
    text = "DTSTART:" + dateutil.parser.parse(rule["start"]).strftime("%Y%m%dT%H%M%S") + "\nRRULE:" + rule["rule"]
    answer[name] = [when.isoformat() for when in islice(dateutil.rrule.rrulestr(text), asked["count"])]
json.dump(answer, sys.stdout)
