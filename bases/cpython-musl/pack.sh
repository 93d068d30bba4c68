#!/bin/sh
# Packs what compile.sh made into the base's layers: system.tar (musl, busybox), data.tar (certificates, time zones)
# and cpython.tar (CPython and the libraries it needs, for /usr/local). /cpython is the host's.
set -eu
machine=$(uname -m)
cd /cpython
rm -rf system data root

# --- the system, with the folders and accounts that Alpine's has

mkdir system data
cd system
mkdir -p bin dev etc home lib media mnt opt proc root run sbin srv sys tmp usr/bin usr/lib usr/local usr/sbin var/tmp
chmod 700 root
chmod 1777 tmp var/tmp

cp "/lib/$machine-linux-musl/libc.so" "lib/ld-musl-$machine.so.1"
ln -s "ld-musl-$machine.so.1" "lib/libc.musl-$machine.so.1"
ln -s "../../lib/ld-musl-$machine.so.1" usr/bin/ldd
# As the loader is this distribution's, so would be the folders it looks into.
printf '%s\n' /lib /usr/local/lib /usr/lib > "etc/ld-musl-$machine.path"

cp ../busybox/busybox bin/
../busybox/busybox --list-full | grep -vx -e bin/busybox -e linuxrc | while read -r applet; do
    ln -s /bin/busybox "$applet"
done

cp ../etc/* etc/
cp /etc/protocols /etc/services etc/
sed -n -E 's/^VERSION_ID=/DISTRIBUTION_VERSION_ID=/p; s/^ID=/DISTRIBUTION_ID=/p' /etc/os-release >> etc/os-release
mkdir -p etc/ssl/certs
ln -s certs/ca-certificates.crt etc/ssl/cert.pem
cd ..

# --- certificates and time zones

mkdir -p data/etc/ssl/certs data/usr/share
cp /etc/ssl/certs/ca-certificates.crt data/etc/ssl/certs/
cp -a /usr/share/zoneinfo data/usr/share/
rm -rf data/usr/share/zoneinfo/right data/usr/share/zoneinfo/posix

# --- CPython

# `make install` would compile every module three times over; an exclusion that matches all leaves it nothing.
sed -i -E "s/-x ('[^']*'|badsyntax) /-x . /" cpython/Makefile
PYTHONDONTWRITEBYTECODE=1 make -C cpython install DESTDIR=/cpython/root
cd root/usr/local
cp -P ../../../prefix/lib/libz.so.* ../../../prefix/lib/libcrypto.so.* ../../../prefix/lib/libssl.so.* lib/
find . -depth \( -type d \( -name test -o -name tests -o -name idle_test -o -name __pycache__ \) \
    -o -type f \( -name '*.pyc' -o -name '*.pyo' -o -name 'libpython*.a' \) \) -exec rm -rf '{}' +
find . -type f -name '*.so*' -exec strip --strip-unneeded '{}' +
LD_LIBRARY_PATH=$PWD/lib PYTHONHOME=$PWD bin/python3 -B -c 'import ctypes, hashlib, ssl, zlib'
cd ../../..

: > libraries
for name in system data cpython; do
    folder=$name
    [ "$name" != cpython ] || folder=root/usr/local
    tar --sort=name --owner=0 --group=0 -cf "$name.partial" -C "$folder" .
    mv "$name.partial" "$name.tar"
done
