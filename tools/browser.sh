#!/bin/sh
# Find a Chromium for the page tests; where there is none, install the system's own package.
set -eu
for name in "${KBIO_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
echo "No Chromium found; installing the system's own package for the page tests." >&2
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null 2>&1; then
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
elif command -v brew >/dev/null 2>&1; then
    brew install --quiet --cask chromium
elif command -v dnf >/dev/null 2>&1; then
    $as_root dnf install -y -q chromium
else
    echo "Install Chromium or Chrome, or name one in KBIO_CHROMIUM, then run this again." >&2
    exit 1
fi
