"""Writes bench/PROOF.md to its output, of the reports that tools/proof gathered.

usage: proof_page.py COMMIT RESULTS PLANNED
"""

import collections
import json
import pathlib
import platform
import sys

TITLES = {
    "crash": ("Crashes", "a process at work on a store is killed; tools/crash_test"),
    "power": ("Power cuts", "what a device may hold when the power goes; vicinal-proof-power"),
    "faults": ("Faults of the system", "every system call of every verb fails; vicinal-proof-faults"),
    "damage": ("Damages", "flipped bits, cut and mixed files; vicinal-proof-damage"),
    "processes": ("Processes", "locks, readers, opening and closing; vicinal-proof-processes"),
    "limits": ("Limits", "the least and the most of everything; vicinal-proof-limits"),
    "soak": ("Soak", "everything at once beside a model; tools/soak"),
    "interleavings": ("Interleavings", "two calls in every order of their steps; tests/interleaving"),
}


def reports(results):
    """What the steps told, by their names."""
    lines = pathlib.Path(results).read_text().splitlines()
    return sorted((json.loads(line) for line in lines), key=lambda report: report["step"])


def cpu():
    """What /proc/cpuinfo calls the first CPU."""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def number(value):
    return f"{value:,.0f}"


def main():
    commit, results, planned_in = sys.argv[1:]
    told = reports(results)
    counts = collections.defaultdict(collections.Counter)
    seconds = collections.Counter()
    findings = []
    planted = []
    for report in told:
        name = report["campaign"]
        if name == "planted":
            planted.append(report)
            continue
        for what, count in report["counts"].items():
            sizes = what.startswith(("bytes", "microseconds", "peak")) or what.endswith(("KiB", " ms"))
            counts[name][what] = max(counts[name][what], count) if sizes else counts[name][what] + count
        seconds[name] += report["seconds"]
        findings += [f"{report['step']}: {finding}" for finding in report["findings"]]
    print("# Proof\n")
    print("What was tried to break the promises of README.md, and how often. Made by `tools/proof`")
    print("(`--quick` takes minutes); each campaign's source says what it looks for.\n")
    machines = sorted({report.get("machine") or cpu() for report in told})
    print(f"Commit {commit} (the last that changed what is tried, or who tries it), {', '.join(machines)},"
          f" {sum(seconds.values()) / 3600:.1f} hours of its programs, {len(findings)} findings left.")
    planned = pathlib.Path(planned_in).read_text().split()
    ended = {report["step"] for report in told}.intersection(planned)
    if len(ended) < len(planned):
        print(f"{len(ended)} of {len(planned)} steps have ended; what has no section here was not run at this commit.")
    print()
    for name, (title, words) in TITLES.items():
        if name not in counts:
            continue
        print(f"## {title}\n\n{words[0].upper()}{words[1:]}. {seconds[name] / 60:,.0f} minutes.\n")
        print("| | |\n|---|---:|")
        for what, count in counts[name].items():
            print(f"| {what} | {number(count)} |")
        print()
    fuzzed = sorted(name for name in counts if name.startswith("fuzz."))
    if fuzzed:
        print("## Fuzzing\n\n`tools/fuzz TARGET`.\n\n| target | executions | minutes |\n|---|---:|---:|")
        for name in fuzzed:
            executions = number(counts[name]["executions"])
            print(f"| {name[5:]} | {executions} | {seconds[name] / 60:,.0f} |")
        print()
    if planted:
        print("## Planted faults\n\n`tools/proof --planted`: each was planted alone, and found.\n")
        print("| fault | found by |\n|---|---|")
        for report in planted:
            print(f"| {report['fault']} | `{report['by']}` |")
        print()
    if findings:
        print("## Findings\n")
        for finding in findings:
            print(f"- {finding}")


if __name__ == "__main__":
    main()
