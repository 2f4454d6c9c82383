# make_formats FOLDER ROWS DIMENSION: files written by the libraries that define the formats (see
# make_formats.py); sets `made` to the names of those libraries. The system's Python comes first, as
# Debian's packages are its modules. Ends the test as skipped where not even numpy is there.
formats_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

make_formats() {
  local python
  made=""
  for python in /usr/bin/python3 python3; do
    mkdir -p "$1"
    made="$("$python" "$formats_here/make_formats.py" "$@" 2> "$1/err")" && break
    made=""
  done
  if [ -z "$made" ]; then
    echo "skipped: no Python with numpy (python3-numpy) to write files with: $(tail -1 "$1/err")"
    exit 77
  fi
}

# have LIBRARY PACKAGE: whether it wrote its files; says so when not.
have() {
  grep -qx "$1" <<< "$made" && return 0
  echo "not run: files of $1, which is not installed ($2)"
  return 1
}
