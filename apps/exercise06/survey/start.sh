#!/bin/sh
# The start command of the image: the number of threads follows the machine.
export OMP_NUM_THREADS="${THREADS:-2}"
exec python service.py
