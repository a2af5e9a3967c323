# SPDX-License-Identifier: BSD-3-Clause
"""results.py TESTLOG: "passed NAME", "failed NAME" or "skipped NAME" per test of meson's log.

A test that runs several says so of each in lines "result: passed NAME SECONDS"; it is named
itself only if it failed and none of them did. Behind each test that failed, "because TEXT": the
last lines of its output that tell.
"""
import json
import re
import sys

WORD = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
RESULT = re.compile(r"^result: (passed|failed|skipped) (\S+)", re.MULTILINE)

TELLING = re.compile(r"^(==|FAIL|not ok|Assertion|vm/run:|result: failed)|RIP: 0010|kernel BUG|BUG: "
                     r"|WARNING: |panic|ERROR|error: ")
LINES = 15


def because(test):
    """Printed with what failed, for where only the end of a log is kept."""
    text = (test.get("stdout") or "") + (test.get("stderr") or "")
    for told in [line for line in text.splitlines() if TELLING.search(line)][-LINES:]:
        print("because", told)


with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        test = json.loads(line)
        word = WORD.get(test["result"], "failed")
        several = RESULT.findall(test.get("stdout") or "")
        for result, name in several:
            print(result, f"{test['name']}/{name}")
        if not several or (word == "failed" and "failed" not in dict(several)):
            print(word, test["name"])
        if word == "failed":
            because(test)
