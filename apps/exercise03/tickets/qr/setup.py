"""QR codes by libqrencode, with which the readers at the doors were tested."""

from setuptools import Extension, setup

setup(name="qr", version="1.0", ext_modules=[Extension("qr", ["qr.c"], libraries=["qrencode"])])
