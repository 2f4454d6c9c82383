#!/usr/bin/env bash
# Runs a command inside a new empty folder, which is removed afterwards.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
"$@"
