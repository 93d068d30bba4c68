#!/bin/sh
# Compiles busybox, zlib, libffi, OpenSSL and CPython against musl in the toolchain container, and packs what the base
# is made of. /cpython is the host's: a killed run is taken up where it stopped.
set -eu
cd /cpython
install -m 755 gcc /usr/local/bin/gcc
prefix=/cpython/prefix
mkdir -p "$prefix/lib" "$prefix/include"

unpack() {
    [ ! -d "$1" ] || return 0
    rm -rf unpacked
    mkdir unpacked
    archive=$1.tar
    [ "$1" != cpython ] || archive=source.tar
    tar -xf "$archive" -C unpacked --strip-components=1
    mv unpacked "$1"
}

# From source and not Debian's busybox-static, which lacks `adduser` and `addgroup`, and has dpkg's name on an applet.
compile_busybox() {
    cd busybox
    make defconfig > configure.log
    for name in DPKG DPKG_DEB RPM RPM2CPIO TC; do
        sed -i "s/^CONFIG_$name=y/# CONFIG_$name is not set/" .config
    done
    make busybox
}

compile_zlib() {
    cd zlib
    CFLAGS='-O2 -fPIC' ./configure --prefix="$prefix" > configure.log
    make install
}

# Linked into the one module that uses it.
compile_libffi() {
    cd libffi
    ./configure --quiet --prefix="$prefix" --disable-shared --with-pic --disable-docs --disable-multi-os-directory \
        CFLAGS=-O2
    make
    make install
}

# What CPython's ssl and hashlib call, and ciphers that servers still ask for; half of OpenSSL is neither.
compile_openssl() {
    cd openssl
    ./config --prefix=/usr/local --libdir=lib --openssldir=/etc/ssl -O2 \
        no-afalgeng no-async no-comp no-dso no-dynamic-engine no-engine no-legacy no-module no-tests no-ui-console \
        no-cmp no-cms no-ct no-dtls no-ocsp no-rfc3779 no-srp no-srtp no-ts \
        no-aria no-bf no-camellia no-cast no-dsa no-ec2m no-gost no-idea no-mdc2 no-rc2 no-rc4 no-rmd160 no-seed \
        no-siv no-sm2 no-sm3 no-sm4 no-whirlpool > configure.log
    make build_generated
    make libssl.so
    cp -P libcrypto.so* libssl.so* "$prefix/lib/"
    cp -r include/openssl "$prefix/include/"
}

compile_cpython() {
    cd cpython
    if [ ! -f configured ]; then
        # Left to guess, it would see Debian's glibc and refuse a compiler that says musl.
        ./configure --quiet --build="$(gcc --print-multiarch)" --enable-shared --with-ensurepip=install \
            --disable-test-modules --with-openssl="$prefix" \
            CPPFLAGS="-I$prefix/include" LDFLAGS="-Wl,--strip-all -L$prefix/lib"
        touch configured
    fi
    # musl gives a thread 128 kB of stack, and Python's own limit of recursion needs more.
    make OPT='-DNDEBUG -fwrapv -O2 -Wall -DTHREAD_STACK_SIZE=0x100000'
}

# No .pyc anywhere: the official images ship none either.
export PYTHONDONTWRITEBYTECODE=1
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS
for name in busybox zlib libffi openssl cpython; do
    [ ! -f "$name.done" ] || continue
    unpack "$name"
    (set -e; "compile_$name")
    touch "$name.done"
done

/bin/sh ./pack.sh
