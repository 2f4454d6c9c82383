"""Prints a table of the lines that the bindings' programs wrote (see bindings.cc) to the files given:
medians in nanoseconds, and how many times C++'s they are."""

import json
import statistics
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
    medians = {
        binding: statistics.median(told[binding, operation])
        for binding in bindings
        if (binding, operation) in told
    }
    cells = ""
    for binding in bindings:
        if binding not in medians:
            cells += f"{'':20}"
        elif "c++" in medians:
            cells += f"{medians[binding]:12,.0f} ({medians[binding] / medians['c++']:.2f})".rjust(20)
        else:
            cells += f"{medians[binding]:12,.0f}".ljust(13).rjust(20)
    print(f"{operation:16}{cells}")
