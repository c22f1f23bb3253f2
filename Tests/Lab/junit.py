"""Reads a JUnit file as continuous integration does: counts, then a line for each packet that a failure names.

    junit.py <FILE

Prints "tests N failures N", and "packet N" for each divergence. Exit status 1 when the file is not well-formed, or its
counts are not those of its test cases.
"""

import re
import sys
import xml.etree.ElementTree

root = xml.etree.ElementTree.parse(sys.stdin).getroot()
cases = list(root.iter("testcase"))
failures = list(root.iter("failure"))
suites = list(root.iter("testsuite"))
if not suites or not cases:
    sys.exit("it has no test cases")
for name, count in (("tests", len(cases)), ("failures", len(failures))):
    said = sum(int(suite.get(name)) for suite in suites)
    if said != count:
        sys.exit(f"it says {said} {name}, and has {count}")
print(f"tests {len(cases)} failures {len(failures)}")
for failure in failures:
    text = f"{failure.get('message')}\n{failure.text}"
    for packet in sorted({int(number) for number in re.findall(r"\(packet (\d+)\)", text)}):
        print(f"packet {packet}")
