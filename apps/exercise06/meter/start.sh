#!/bin/sh
# The start command of the image: wait for the meter's file, then serve.
until [ -e /run/meter/value ]; do sleep 1; done
exec python service.py
