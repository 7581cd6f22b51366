"""A backend of ours: it counts what was made, and redirects where it is told to. And the connector file that describes it."""

import collections
import http.server
import json
import threading

from program import Folder

FILE = """
format: 1
connector: counted
title: Counted
instructions: None.
settings: { COUNTED_KEY: { required: true, secret: true, description: Key. } }
upstream: { base: "%s/v1", headers: { Authorization: "Bearer {settings.COUNTED_KEY}" } }
tools:
  - { name: look, title: Look, description: Look., effect: read, steps: [{ get: /look }] }
  - name: make
    title: Make
    description: Make a thing.
    effect: write
    no_undo: None.
    idempotency_key: true
    input: { title: { type: string, description: Title., required: true } }
    steps: [{ post: /things, assumed: true, body: '{title: $args.title}' }]
"""
SETTINGS = {"COUNTED_KEY": "k" * 20}


class StandIn:
    """Serves until the end of the attack."""

    def __init__(self):
        self.made, self.asked, self.redirect, lock = collections.Counter(), [], "", threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(handler, status, value, **headers):
                body = json.dumps(value).encode()
                handler.send_response(status)
                for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                    handler.send_header(name, text)
                handler.end_headers()
                handler.wfile.write(body)

            def do_GET(handler):
                self.asked.append(handler.path)
                if handler.path.startswith("/v1/look") and self.redirect:
                    handler.answer(302, {}, Location=self.redirect)
                else:
                    handler.answer(200, {"secret": "taken"})

            def do_POST(handler):
                thing = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
                with lock:
                    self.made[thing["title"]] += 1
                handler.answer(201, {**thing, "details": "x" * (60_000 if thing["title"] == "key" else 0)})

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # the program is killed while it asks

        self._server = Server(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._folder = Folder()
        self.file = self._folder.path / "counted.yaml"
        self.file.write_text(FILE % self.origin)

    def end(self):
        self._server.shutdown()
        self._server.server_close()
