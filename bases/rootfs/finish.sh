#!/bin/sh
# Run by mmdebstrap on the finished root file system ($1): leftovers go, and it says what it is.
set -eu
root=$1
cp "$(dirname "$0")/apt.conf" "$root/etc/apt/apt.conf.d/90container"
rm -f "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root/etc/apt/apt.conf.d/99mmdebstrap"
find "$root/var/lib/apt/lists" "$root/var/cache/apt" -type f -delete
rm -rf "$root"/var/log/*.log "$root"/var/log/apt "$root"/var/cache/ldconfig "$root"/var/cache/debconf/*-old
. "$root/etc/os-release"
sed -i -e "s|^PRETTY_NAME=.*|PRETTY_NAME=\"$PRETTY_NAME, Layer Lab stand-in\"|" \
    -e '$a VARIANT="Layer Lab stand-in, not an official image"' -e '$a VARIANT_ID=layerlab-standin' \
    "$root/usr/lib/os-release"
