"""Ranks offers with a model that is trained at the start. The image starts it as `python service.py`."""

import http.server
import json

from sklearn.linear_model import LinearRegression

model = LinearRegression().fit([[1, 2], [2, 1], [3, 4]], [3, 2, 7])


class Ranks(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        offers = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(model.predict(offers).tolist()).encode())


http.server.HTTPServer(("", 8000), Ranks).serve_forever()
