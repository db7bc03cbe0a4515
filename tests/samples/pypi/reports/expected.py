"""The same answer straight from the package, on this machine, with no plugin and no wsmgr in between."""

import json
import sys

import tabulate

asked = json.load(open(sys.argv[1], encoding="utf-8"))
names = list(asked["rows"][0])
rows = [[row[name] for name in names] for row in asked["rows"]]
answer = {form: tabulate.tabulate(rows, names, form, ".2f") for form in asked["forms"]}
json.dump(answer, sys.stdout)
