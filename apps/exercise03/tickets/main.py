from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from qr import rows

DARK, LIGHT = "##", "  "

app = FastAPI()


@app.get("/health")
def health_check():
    return {"status": "healthy"}


@app.get("/tickets/{number}", response_class=PlainTextResponse)
def ticket(number: int):
    """The code that is printed on a ticket, for the reader at the door."""
    return "\n".join("".join(DARK if dot else LIGHT for dot in row) for row in rows(f"TICKET-{number:06}"))
