#!/bin/sh
# Makes sure that there is a browser for the browser tests: one that is installed, else Debian's.
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
else
    echo "The browser tests need Chromium or Chrome: install one, or leave them out with 'make test BROWSER=no'." >&2
    exit 1
fi
