"""A REST backend for the connector's figures: one item of 1 KB, tasks of 2.5 KB in pages. Keeps nothing, and is not measured itself."""

import http.server
import json
import threading
import urllib.parse

TOKEN = "bench-token"
TEXT = "What is to be done here, in two sentences. The second one says why it matters to the team and what happens without it. "


def item(number):
    """A record of 1 KB."""
    return {
        "id": number, "ref": number, "subject": "The page refuses a password that is right", "description": (TEXT * 4)[:330],
        "status": {"id": 3, "name": "In progress", "color": "#ff9900", "is_closed": False},
        "project": {"id": 42, "name": "Demo project", "slug": "demo-project"},
        "assigned_to": {"id": 17, "username": "ana", "full_name": "Ana Ruiz"}, "owner": {"id": 18, "username": "ben", "full_name": "Ben Ode"},
        "tags": ["backend", "regression"], "created_date": "2026-03-01T12:00:00Z", "modified_date": "2026-03-02T08:30:00Z", "version": 7,
        "is_blocked": False, "blocked_note": None, "points": {"ux": 1.5, "back": 3.0, "front": 2.0}, "watchers": [17, 18, 21, 34],
        "due_date": "2026-04-01", "permalink": f"http://backend.example/project/demo/us/{number}",
    }


def task(number):
    """A row of 2.5 KB."""
    return {
        "id": number, "ref": number, "subject": f"Task number {number}", "project": 7, "user_story": 5, "status": 3,
        "status_extra_info": {"name": "In progress", "color": "#999999", "is_closed": False}, "assigned_to": 9,
        "assigned_to_extra_info": {"username": "ana", "full_name_display": "Ana Ruiz", "photo": None, "gravatar_id": "0123456789abcdef"},
        "tags": [["backend", None], ["urgent", "#ff0000"]], "due_date": "2026-12-01", "modified_date": "2026-11-21T09:00:00.000Z",
        "version": 4, "description_html": TEXT * 17, "neighbors": {"previous": {"id": 1}, "next": {"id": 2}},
    }


class Backend(http.server.ThreadingHTTPServer):
    """Listening while it is entered; `url` is its base."""

    daemon_threads = True

    def __init__(self, rows):
        self.rows = rows
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):  # noqa: N802
        asked = urllib.parse.urlsplit(self.path)
        total = None
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.say(401, {"error": "no such token"})
        if asked.path.startswith("/items/"):
            return self.say(200, item(int(asked.path.rpartition("/")[2])))
        query = dict(urllib.parse.parse_qsl(asked.query))
        page, size = int(query.get("page", 1)), int(query.get("size", 51))
        total = self.server.rows
        first = (page - 1) * size
        return self.say(200, [task(number) for number in range(first, min(first + size, total))], total)

    def say(self, status, value, total=None):
        body = json.dumps(value, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if total is not None:
            self.send_header("X-Total", str(total))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
