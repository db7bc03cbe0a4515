"""The same answer straight from the package, on this machine, with no plugin and no wsmgr in between."""

import json
import sys

import sqlparse

text = json.load(open(sys.argv[1], encoding="utf-8"))["sql"]
answer = []
for statement in sqlparse.split(text):
    laid_out = sqlparse.format(statement, keyword_case="upper", reindent=True).strip()
    answer.append({"type": sqlparse.parse(statement)[0].get_type(), "sql": laid_out})
json.dump(answer, sys.stdout)
