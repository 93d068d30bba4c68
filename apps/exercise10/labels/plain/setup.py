"""The letters of a label printer, by the C library's own table."""

from setuptools import Extension, setup

setup(name="plain", version="1.0", ext_modules=[Extension("plain", ["plain.c"], py_limited_api=True)])
