-- Changes: one row for each write through any door, with what it touched, and what is remembered under a caller's key.
-- Whatever moves a change into a state takes the next number of one sequence, `step`, by which others see what happened since.

CREATE TABLE change (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    step           INTEGER NOT NULL,
    at             TEXT NOT NULL,
    ended_at       TEXT,
    state          TEXT NOT NULL CHECK (state IN ('proposed', 'sent', 'done', 'failed', 'unknown', 'withdrawn', 'expired')),
    door           TEXT NOT NULL,
    caller         TEXT NOT NULL,
    client         TEXT,
    client_version TEXT,
    connector      TEXT NOT NULL,
    address        TEXT NOT NULL,
    account        TEXT,
    tool           TEXT NOT NULL,
    effect         TEXT NOT NULL,
    fingerprint    TEXT NOT NULL,
    -- what it undoes
    undoes         INTEGER,
    -- why it failed, why its end is not known, why it was withdrawn
    message        TEXT,
    -- of a proposal: its end, and who decided it when
    expires_at     TEXT,
    decided_by     TEXT,
    decided_at     TEXT,
    -- the process that carries it out
    process        TEXT,
    -- bytes of what is kept of it
    size           INTEGER NOT NULL DEFAULT 0,
    -- for the eye: secrets and long texts are cut
    arguments      TEXT NOT NULL,
    -- of a proposal: what carrying it out needs, whole, until it is carried out
    request        TEXT,
    -- what undoing it needs beside its records
    undo_values    TEXT
);

CREATE INDEX change_by_step ON change (step);
CREATE INDEX change_by_time ON change (at);
CREATE INDEX change_of_caller ON change (caller, at);
CREATE INDEX change_of_client ON change (client, at);
CREATE INDEX change_of_connector ON change (connector, at);
CREATE INDEX change_of_tool ON change (tool, at);
CREATE INDEX change_by_state ON change (state, at) WHERE state <> 'done';
CREATE INDEX change_that_undoes ON change (undoes) WHERE undoes IS NOT NULL;

-- Images are JSON objects of a record's declared fields.
CREATE TABLE change_record (
    change        INTEGER NOT NULL REFERENCES change (id) ON DELETE CASCADE,
    connector     TEXT NOT NULL,
    kind          TEXT NOT NULL,
    record        TEXT NOT NULL,
    name          TEXT,
    version       TEXT,
    -- fields that were sent and that the backend left as they were, a JSON list
    ignored       TEXT,
    -- why there is no image, and so no undoing
    without_image TEXT,
    image_before  TEXT,
    image_after   TEXT,
    -- the record that it was made in the place of
    instead_of    TEXT
);

CREATE UNIQUE INDEX change_record_of_change ON change_record (change, kind, record);
CREATE INDEX change_record_of_record ON change_record (connector, kind, record, change);

-- What is remembered of a change under a key of its caller's, so that the same call again is not carried out twice.
CREATE TABLE change_key (
    caller      TEXT NOT NULL,
    target      TEXT NOT NULL,
    key         TEXT NOT NULL,
    change      INTEGER NOT NULL REFERENCES change (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    expires_at  TEXT NOT NULL,
    -- whose room it takes; rooms are counted below
    room        TEXT NOT NULL,
    -- characters of the answer, which is not read to be counted
    size        INTEGER NOT NULL DEFAULT 0,
    answer      TEXT,
    PRIMARY KEY (caller, target, key)
);

CREATE INDEX change_key_by_end ON change_key (expires_at);
CREATE UNIQUE INDEX change_key_of_change ON change_key (change);

-- Calls kept until now: their tool was written after the name and the digest of its backend.
INSERT INTO change (id, step, at, state, door, caller, connector, address, tool, effect, fingerprint, message, arguments)
    SELECT rowid, rowid, begun_at, CASE WHEN is_done THEN 'done' ELSE 'unknown' END, '', caller,
        CASE WHEN instr(tool, ' ') > 0 THEN substr(tool, 1, instr(tool, ' ') - 1) ELSE tool END, '',
        replace(tool, rtrim(tool, replace(tool, ' ', '')), ''), 'write', fingerprint,
        CASE WHEN is_done THEN NULL ELSE 'nobody noted how it ended' END, '{}'
    FROM kept_call ORDER BY rowid;

INSERT INTO change_key (caller, target, key, change, fingerprint, expires_at, room, size, answer)
    SELECT caller, tool, key, rowid, fingerprint, expires_at, room, size, answer FROM kept_call ORDER BY rowid;

DROP TABLE kept_call;
DROP TABLE kept_room;

-- Room is counted where keys come and go. Each client has a room, whoever it calls as.
CREATE TABLE key_room (
    room       TEXT PRIMARY KEY NOT NULL,
    calls      INTEGER NOT NULL,
    characters INTEGER NOT NULL
);

INSERT INTO key_room (room, calls, characters) SELECT room, count(*), sum(size) FROM change_key GROUP BY room;

CREATE TRIGGER change_key_is_taken AFTER INSERT ON change_key BEGIN
    INSERT INTO key_room (room, calls, characters) VALUES (new.room, 1, new.size)
        ON CONFLICT (room) DO UPDATE SET calls = calls + 1, characters = characters + excluded.characters;
END;

CREATE TRIGGER change_key_is_answered AFTER UPDATE OF size ON change_key BEGIN
    UPDATE key_room SET characters = characters + new.size - old.size WHERE room = new.room;
END;

CREATE TRIGGER change_key_is_forgotten AFTER DELETE ON change_key BEGIN
    UPDATE key_room SET calls = calls - 1, characters = characters - old.size WHERE room = old.room;
    DELETE FROM key_room WHERE room = old.room AND calls = 0;
END;

-- Who has a record to work on, until when. A lease that ended stays for a while, with what its holder left for the next.
CREATE TABLE lease (
    connector  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    record     TEXT NOT NULL,
    caller     TEXT NOT NULL,
    -- what others read of who has it
    holder     TEXT NOT NULL,
    digest     TEXT NOT NULL UNIQUE,
    claimed_at TEXT NOT NULL,
    until      TEXT NOT NULL,
    note       TEXT,
    PRIMARY KEY (connector, kind, record)
);

CREATE INDEX lease_of_caller ON lease (caller, until);
CREATE INDEX lease_by_end ON lease (until);

-- What was done and refused, each row with the digest of the one before.
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    kind     TEXT NOT NULL,
    detail   TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest   TEXT NOT NULL
);

-- The last row that was dropped for its age.
CREATE TABLE audit_anchor (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    digest   TEXT NOT NULL,
    at       TEXT NOT NULL
);

-- Codes that were handed out at the terminal and sign a browser in, once.
CREATE TABLE sign_in_code (
    digest TEXT PRIMARY KEY NOT NULL,
    -- the address of the server that it is for
    origin TEXT NOT NULL,
    until  TEXT NOT NULL
);
