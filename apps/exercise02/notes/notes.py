"""Keeps notes: POST one to /notes, GET them all."""

import json
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer

database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE notes (text TEXT)")


class Notes(BaseHTTPRequestHandler):
    def do_GET(self):
        found = database.execute("SELECT text FROM notes").fetchall()
        self.answer({"notes": [text for (text,) in found]})

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        database.execute("INSERT INTO notes VALUES (?)", [text])
        self.answer({"kept": text})

    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


HTTPServer(("0.0.0.0", 8000), Notes).serve_forever()
