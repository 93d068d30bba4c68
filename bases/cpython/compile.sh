#!/bin/sh
# Compiles CPython in the toolchain container. /cpython is the host's: a killed run is taken up where it stopped.
# Without profile-guided and link-time optimization, unlike the official images: that alone takes half an hour.
set -eu
cd /cpython

if [ ! -d build ]; then
    rm -rf unpacked
    mkdir unpacked
    tar -xf source.tar -C unpacked --strip-components=1
    mv unpacked build
fi

cd build
# No .pyc anywhere: the official images ship none either.
export PYTHONDONTWRITEBYTECODE=1
if [ ! -f configured ]; then
    ./configure --quiet --enable-shared --enable-loadable-sqlite-extensions --with-ensurepip=install \
        --disable-test-modules LDFLAGS=-Wl,--strip-all
    touch configured
fi
# Without -g, that is: debug information would be stripped anyway, and costs a fifth of the time.
make -j"$(nproc)" OPT='-DNDEBUG -fwrapv -O3 -Wall'

# `make install` would compile every module three times over; an exclusion that matches all leaves it nothing.
# (COMPILEALL_OPTS, which could say so, came after 3.11.2.)
sed -i -E "s/-x ('[^']*'|badsyntax) /-x . /" Makefile
rm -rf /cpython/root
make install DESTDIR=/cpython/root
cd /cpython/root/usr/local

find . -depth \( -type d \( -name test -o -name tests -o -name idle_test -o -name __pycache__ \) \
    -o -type f \( -name '*.pyc' -o -name '*.pyo' -o -name 'libpython*.a' \) \) -exec rm -rf '{}' +
LD_LIBRARY_PATH=$PWD/lib PYTHONHOME=$PWD bin/python3 -B -c \
    'import bz2, ctypes, curses, dbm.gnu, hashlib, lzma, readline, sqlite3, ssl, uuid, zlib'

# The packages whose libraries CPython's modules are linked against. dpkg knows them by either of /lib and /usr/lib.
find . -type f -executable -exec ldd '{}' ';' 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    while read -r library; do
        dpkg-query --search "*${library#/usr}" || true
    done | sed -e '/^diversion /d' -e 's/:.*//' | sort -u > /cpython/libraries

tar --sort=name --owner=0 --group=0 -cf /cpython/cpython.partial .
mv /cpython/cpython.partial /cpython/cpython.tar
