"""Prints a table of what the bindings' programs measured: the least of all turns in nanoseconds, which
is what a call costs undisturbed, and how many times C++'s that is.

usage: table.py FILE...    of the lines that bindings.cc describes
"""

import json
import sys
from collections import defaultdict

lines = [json.loads(line) for file in sys.argv[1:] for line in open(file)]
told = defaultdict(list)
for line in lines:
    told[line["binding"], line["operation"]].append(line["ns"])
bindings = list(dict.fromkeys(line["binding"] for line in lines))
operations = list(dict.fromkeys(line["operation"] for line in lines))

print(f"{'ns per vector':16}" + "".join(f"{binding:>20}" for binding in bindings))
for operation in operations:
    least = {
        binding: min(told[binding, operation])
        for binding in bindings
        if (binding, operation) in told
    }
    cells = ""
    for binding in bindings:
        if binding not in least:
            cells += f"{'':20}"
        elif "c++" in least:
            ratio = least[binding] / least["c++"]
            cells += f"{least[binding]:,.0f} ({ratio:.2f})".rjust(20)
        else:
            cells += f"{least[binding]:,.0f}       ".rjust(20)
    print(f"{operation:16}{cells}")
