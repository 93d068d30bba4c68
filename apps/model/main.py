"""Tells the language of a word. What it knows lies in a model file, which is read once, when the service starts."""

import os
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

import model_file

MODEL = Path(os.environ.get("MODEL", "models/model.bin")).absolute()


@asynccontextmanager
async def lifespan(app: FastAPI):
    # Without a model this raises, and uvicorn ends before the first request. Its log says why.
    app.state.model = model_file.read(MODEL)
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
def read_root():
    return {"message": "Ask for /language/WORD."}


@app.get("/health")
def health_check():
    return {"status": "healthy"}


@app.get("/model")
def read_model():
    model = app.state.model
    return {"version": model.version, "languages": list(model.weights), "bytes": model.size_bytes}


@app.get("/language/{word}")
def read_language(word: str):
    model = app.state.model
    return {"word": word, "language": model.language(word), "model": model.version}
