"""Receipts of payments. Whoever gets into its container must find no shell and no program that lends rights."""

from fastapi import FastAPI, HTTPException

app = FastAPI()
RECEIPTS = {1001: {"total": "12.50", "paid": True}, 1002: {"total": "3.20", "paid": False}}


@app.get("/health")
def health():
    return {"status": "healthy"}


@app.get("/receipts/{number}")
def receipt(number: int):
    if number not in RECEIPTS:
        raise HTTPException(404, "no such receipt")
    return RECEIPTS[number]
