"""Many calls through one bare stdio session, for setting a stage; nothing here is measured or is a client under test."""

import json
import subprocess

OPENING = [
    {"jsonrpc": "2.0", "id": "open", "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "pipe", "version": "1"}}},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]
# Calls under way at a time: a server may refuse more than it likes to run at once.
WINDOW = 64


def make(command, tool, arguments):
    """Calls a tool once for each of `arguments`; the ids of the rows it made, in that order."""
    server = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(messages):
        server.stdin.write("".join(json.dumps(message) + "\n" for message in messages))
        server.stdin.flush()

    send(OPENING)
    server.stdout.readline()
    made, sent = {}, 0
    while len(made) < len(arguments):
        room = range(sent, min(len(arguments), len(made) + WINDOW))
        send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool, "arguments": arguments[number]}} for number in room)
        sent = max(sent, room.stop)
        answer = json.loads(server.stdout.readline())
        if "result" not in answer or answer["result"].get("isError"):
            server.kill()
            raise RuntimeError(f"{tool}: {answer}")
        made[answer["id"]] = json.loads(answer["result"]["content"][0]["text"])["id"]
    server.stdin.close()
    if (code := server.wait(30)) != 0:
        raise RuntimeError(f"the server ended with {code}")
    return [made[number] for number in range(len(arguments))]
