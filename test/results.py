# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""results.py TESTLOG: "passed NAME", "failed NAME" or "skipped NAME" per test of meson's log.

A test that runs several says so of each in lines "result: passed NAME SECONDS"; it is named
itself only if it failed and none of them did. A cmocka program is one test, and each of its tests
that was skipped is one more: "skipped PROGRAM/TEST". cmocka's exit code does not tell, so that a
program none of whose tests ran to the end is not named as passed. After each test that failed,
"because TEXT": the last lines of its output that tell.
"""
import json
import re
import sys

WORD = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
RESULT = re.compile(r"^result: (passed|failed|skipped) (\S+)", re.MULTILINE)
# What a program prints without an end of line may stand in front of cmocka's words.
CMOCKA_SKIPPED = re.compile(r"\[  SKIPPED \] (\S+)$", re.MULTILINE)
CMOCKA_OK = re.compile(r"\[       OK \] \S+$", re.MULTILINE)

TELLING = re.compile(r"^(==|FAIL|not ok|Assertion|vm/run:|result: failed)|RIP: 0010|kernel BUG|BUG: "
                     r"|WARNING: |panic|ERROR|error: ")
LINES = 15


def because(test):
    """Printed with what failed, for where only the end of a log is kept."""
    text = (test.get("stdout") or "") + (test.get("stderr") or "")
    for told in [line for line in text.splitlines() if TELLING.search(line)][-LINES:]:
        print("because", told)


def report(test):
    word = WORD.get(test["result"], "failed")
    out = (test.get("stdout") or "") + (test.get("stderr") or "")
    several = RESULT.findall(test.get("stdout") or "")
    for result, name in several:
        print(result, f"{test['name']}/{name}")
    # cmocka names each of them twice.
    skipped = dict.fromkeys(CMOCKA_SKIPPED.findall(out))
    ran = not skipped or CMOCKA_OK.search(out)
    if word == "failed" and "failed" not in dict(several):
        print(word, test["name"])
    elif not several and ran:
        print(word, test["name"])
    for name in skipped:
        print("skipped", f"{test['name']}/{name}")
    if word == "failed":
        because(test)


def main(path):
    with open(path, encoding="utf-8") as log:
        for line in log:
            report(json.loads(line))


if __name__ == "__main__":
    main(sys.argv[1])
