# SPDX-License-Identifier: BSD-3-Clause
"""results.py TESTLOG: "passed NAME", "failed NAME" or "skipped NAME" per test of meson's log."""
import json
import sys

WORD = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}

with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        test = json.loads(line)
        print(WORD.get(test["result"], "failed"), test["name"])
