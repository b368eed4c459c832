#!/bin/sh
# What `make diff-setup` has git call to compare a notebook (git help gitattributes: path, old file, hash and mode, new
# file, hash and mode): by cell, and without what running it has left in the working tree.
set -eu
new=$(mktemp) && trap 'rm -f "$new"' EXIT
.venv/bin/python tools/settled.py < "$5" > "$new" 2>/dev/null || cat "$5" > "$new"
.venv/bin/git-nbdiffdriver diff --ignore-details "$1" "$2" "$3" "$4" "$new" "$6" "$7"
