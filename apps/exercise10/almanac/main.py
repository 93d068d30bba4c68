"""Tells when the sun rises and sets, for the keepers of a lighthouse."""

from datetime import date

from astral import Observer
from astral.sun import sun
from fastapi import FastAPI

LIGHTHOUSE = Observer(latitude=54.18, longitude=7.88)

app = FastAPI()


@app.get("/health")
def health():
    return {"status": "healthy"}


@app.get("/sun/{day}")
def of_the_day(day: date):
    """Sunrise and sunset of a day, in universal time."""
    times = sun(LIGHTHOUSE, date=day)
    return {"day": day, "rises": f"{times['sunrise']:%H:%M}", "sets": f"{times['sunset']:%H:%M}"}
