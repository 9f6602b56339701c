#!/bin/sh
# What the tests need beyond Python packages: a Chromium. Installs it where it may, else says what is left out.
set -u
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing Chromium for the browser tests ..."
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null 2>&1 && exit 0
fi
echo "################################################################" >&2
echo "# No Chromium here: THE BROWSER TESTS ARE LEFT OUT.            #" >&2
echo "# To run them: sudo apt-get install chromium                   #" >&2
echo "################################################################" >&2
