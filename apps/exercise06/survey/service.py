"""Sorts answers of a survey into groups."""

import http.server
import json

from sklearn.cluster import KMeans


class Groups(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        answers = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        groups = KMeans(n_clusters=3).fit_predict(answers).tolist()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(groups).encode())


http.server.HTTPServer(("", 8000), Groups).serve_forever()
