"""Many at once, before anybody is known: large logins, slow senders, idle connections, guessed passwords."""

import threading

from program import EMAIL, PASSWORD, Folder, Program, Watch, account, hold, together, until

CONNECTIONS = 1_090
MOST_MB = 100


def bodies_of_small_objects(size):
    head = f'{{"email":"{EMAIL}","password":"{PASSWORD}","x":['
    item = '{"a":0},'
    return (head + item * ((size - len(head)) // len(item)) + '{"a":0}]}').encode()


def large_logins():
    """60 and 200 logins of 0.92 MB at once, from a host that nobody knows: refused, in bounded memory, while health answers."""
    data = Folder()
    account(data.path)
    served = Program(data=data.path)
    body, statuses = bodies_of_small_objects(920_000), []

    def one(number):
        headers = {"Host": "evil.example"} if number % 2 else {}
        try:
            with served.connect() as connection:
                host = headers.get("Host", f"127.0.0.1:{served.port}")
                kind = "" if number % 3 else "Content-Type: application/json\r\n"
                connection.sendall(f"POST /xapi2/auth/login HTTP/1.1\r\nHost: {host}\r\n{kind}Content-Length: {len(body)}\r\n\r\n".encode())
                try:
                    connection.sendall(body)
                except OSError:
                    pass
                statuses.append(connection.recv(12)[9:12].decode() or "closed")
        except OSError:
            statuses.append("closed")

    before = served.memory()
    with Watch(served, "127.0.0.9") as watch:
        together(60, one)
        together(200, one)
    taken = [status for status in statuses if status[:1] not in "45c"]
    hold(len(statuses) == 260 and not taken, "a login of 0.92 MB gets past the door", sorted(set(statuses)))
    peak = served.memory("VmHWM")
    hold(peak <= MOST_MB, f"large logins take more than {MOST_MB} MB", f"{peak:.0f} MB")
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    return f"{counts}, {before:.0f} MB, at most {peak:.0f}, then {served.memory():.0f}, {watch}"


def crowd(served, opening, source="127.0.0.1"):
    """So many connections that send an opening and then next to nothing; how many were told 503 at once, or were closed."""
    connections, told = [], 0
    for _ in range(CONNECTIONS):
        connection = served.connect(source, 20)
        try:
            connection.sendall(opening)
        except OSError:
            told += 1
        connections.append(connection)
    return connections, told


def others_get_in(served):
    """Beyond the crowd, as soon as those were told that are too many: health for everybody, and the tools for another address."""
    for source in ("127.0.0.1", "127.0.0.2"):
        until(lambda source=source: served.ask("GET", "/healthz", source=source)[0] == 200, "health has no room")
    hold(served.call("card_list", {}, source="127.0.0.2")["items"] == [], "another address is not served")


def ended(connections):
    """What the connections were told until they were closed, slow byte after slow byte."""
    told = {}
    waiting = list(connections)

    def look():
        for connection in list(waiting):
            try:
                connection.setblocking(False)
                part = connection.recv(4096)
                status = part[9:12].decode(errors="replace") if part.startswith(b"HTTP/1.1") else None
                if status:
                    told[status] = told.get(status, 0) + 1
                if not part:
                    waiting.remove(connection)
                continue
            except BlockingIOError:
                pass
            except OSError:
                waiting.remove(connection)
                continue
            try:
                connection.send(b"1\r\n{\r\n")
            except OSError:
                pass
        threading.Event().wait(1)
        return not waiting

    until(look, "slow connections are kept")
    return told


def slow(path):
    data = Folder()
    account(data.path)
    served = Program(data=data.path)
    own = f"127.0.0.1:{served.port}"
    opening = f"POST {path} HTTP/1.1\r\nHost: {own}\r\nOrigin: http://{own}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"
    connections, _ = crowd(served, opening.encode())
    try:
        others_get_in(served)
        with Watch(served, "127.0.0.2") as watch:
            told = ended(connections)
        hold(not [status for status in told if status[:1] not in "45"], "a slow body is taken", told)
        hold(told.get("503"), "nobody was told at once that there are too many", told)
    finally:
        for connection in connections:
            connection.close()
    until(lambda: served.ask("GET", "/readyz", source="127.0.0.2")[0] == 200, "the program does not come to itself")
    return f"{CONNECTIONS} slow bodies told {told}, {served.memory():.0f} MB, {watch}"


def slow_bodies_at_track():
    return slow("/xapi2/analytics/track")


def slow_bodies_at_login():
    return slow("/xapi2/auth/login")


def slow_bodies_at_session():
    return slow("/session")


def idle_connections():
    """As many connections as there may be, from one address, each with a request now and then."""
    data = Folder()
    served = Program(data=data.path)
    ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    opening = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nContent-Length: {len(ping)}\r\n\r\n{ping}"
    ).encode()
    connections, _ = crowd(served, opening)
    try:
        others_get_in(served)
        milliseconds = max(served.health("127.0.0.2") for _ in range(10))
    finally:
        for connection in connections:
            connection.close()
    return f"{CONNECTIONS} idle from one address, another is served, {served.memory():.0f} MB, /healthz at most {milliseconds:.0f} ms"


def log_in(served, password, source):
    return served.ask("POST", "/xapi2/auth/login", {"email": EMAIL, "password": password}, source=source)[0]


def guessed_passwords():
    """Wrong passwords from 39 addresses, ten each: slowed down, in memory that is given back; the owner gets in each time."""
    data = Folder()
    account(data.path)
    served = Program(data=data.path)
    hold(log_in(served, PASSWORD, "127.0.0.1") == 200, "the owner gets in")
    before, statuses, owner = served.memory(), [], []

    def one(number):
        if number == 0:
            owner.extend(log_in(served, PASSWORD, "127.0.0.1") for _ in range(10))
        else:
            statuses.extend(log_in(served, f"wrong {number} {attempt}", f"127.0.1.{number}") for attempt in range(10))

    with Watch(served) as watch:
        together(40, one)
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    hold(set(counts) == {401, 429} and len(statuses) == 390, "wrong passwords are 401, and 429 once there were some", counts)
    hold(counts[429] >= 100, "most wrong passwords are tried", counts)
    hold(owner == [200] * 10, "the owner is locked out", owner)
    hold(served.memory("VmHWM") <= before + MOST_MB, "password checks keep their memory", served.memory("VmHWM"))
    return f"{counts}, the owner 10 of 10, {before:.0f} -> {served.memory():.0f} MB, {watch}"


def guessed_tokens():
    """Wrong tokens at the sign-in of the pages from 39 addresses, ten each: slowed down; the owner gets in each time."""
    data = Folder()
    token = "a-bearer-that-clients-share"
    served = Program(data=data.path, environment={"FOOTBRIDGE_TOKEN": token})

    def sign_in(sent, source):
        own = {"Origin": f"http://127.0.0.1:{served.port}"}
        return served.ask("POST", "/session", {"token": sent}, headers=own, source=source)[0]

    hold(sign_in(token, "127.0.0.1") == 204, "the owner gets in")
    statuses, owner = [], []

    def one(number):
        if number == 0:
            owner.extend(sign_in(token, "127.0.0.1") for _ in range(10))
        else:
            statuses.extend(sign_in(f"wrong {number} {attempt}", f"127.0.1.{number}") for attempt in range(10))

    with Watch(served) as watch:
        together(40, one)
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    hold(set(counts) == {401, 429} and len(statuses) == 390, "wrong tokens are 401, and 429 once there were some", counts)
    hold(counts[429] >= 100, "most wrong tokens are tried", counts)
    hold(owner == [204] * 10, "the owner is locked out", owner)
    return f"{counts}, the owner 10 of 10, {served.memory():.0f} MB, {watch}"


ATTACKS = [
    large_logins, slow_bodies_at_track, slow_bodies_at_login, slow_bodies_at_session, idle_connections, guessed_passwords, guessed_tokens,
]
