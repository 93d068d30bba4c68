from pathlib import Path

from fastapi import FastAPI
from jellyfish import damerau_levenshtein_distance

STATIONS = Path(__file__).with_name("stations.txt").read_text(encoding="utf-8").splitlines()

app = FastAPI()


@app.get("/health")
def health_check():
    return {"status": "healthy"}


@app.get("/stations/{typed}")
def station(typed: str):
    """The station that somebody meant: the one that the fewest typing slips turn into what was typed."""
    slips = {name: damerau_levenshtein_distance(typed.lower(), name.lower()) for name in STATIONS}
    return {"typed": typed, "meant": min(slips, key=slips.get), "slips": min(slips.values())}
