from distance import distance
from fastapi import FastAPI

WORDS = ("alpine", "base", "build", "cache", "container", "context", "copy", "digest", "distroless", "engine", "expose")
WORDS += ("image", "instruction", "layer", "registry", "slim", "stage", "tag", "volume", "wheel")

app = FastAPI()


@app.get("/health")
def health_check():
    return {"status": "healthy"}


@app.get("/suggest/{word}")
def suggest(word: str):
    """What did somebody mean who typed this? The word that takes the fewest edits."""
    return {"word": word, "suggestion": min(WORDS, key=lambda known: distance(word, known))}
