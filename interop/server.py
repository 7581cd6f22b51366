"""Starts a server that prints where it listens, and stops it. No fixed port, no sleep: the printed line is the signal."""

import collections
import os
import re
import signal
import subprocess
import threading

# How long a server may take to say where it listens, and to end after SIGTERM, in seconds.
START_SECONDS = 20
STOP_SECONDS = 10

URL = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\]):\d+/mcp\b")


class Server:
    """A running server over HTTP; `url` is its MCP address."""

    def __init__(self, command, environment=None):
        self.command = [str(part) for part in command]
        self.url = None
        self._lines = collections.deque(maxlen=200)
        self._found = threading.Event()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **(environment or {})},
        )
        threading.Thread(target=self._read, daemon=True).start()
        if not self._found.wait(START_SECONDS) or self.url is None:
            self.stop()
            raise RuntimeError(f"{' '.join(self.command)} did not say where it listens:\n" + "".join(self._lines))

    def _read(self):
        for line in self.process.stdout:
            self._lines.append(line)
            if self.url is None and (match := URL.search(line)):
                self.url = match.group(0)
                self._found.set()
        self._found.set()

    def stop(self):
        """Sends SIGTERM and waits; answers the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{' '.join(self.command)} did not end within {STOP_SECONDS} s of SIGTERM") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
