-- Accounts, their tokens and sessions, and the records they own.
-- Times are RFC 3339 UTC text with six decimals, so text order is time order. Ids are UUIDv7 text.

CREATE TABLE account (
    id            TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL UNIQUE,
    email         TEXT UNIQUE,
    role          TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    password_hash TEXT,
    created_at    TEXT NOT NULL
);

CREATE TABLE token (
    id         TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    digest     TEXT NOT NULL UNIQUE,
    prefix     TEXT NOT NULL,
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT
);

CREATE INDEX token_by_account ON token (account_id, created_at);

CREATE TABLE session (
    id         TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    digest     TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    replaces   TEXT,
    used_at    TEXT,
    offered_at TEXT
);

CREATE INDEX session_by_account ON session (account_id, expires_at);

CREATE TABLE record (
    id          TEXT PRIMARY KEY NOT NULL,
    model       TEXT NOT NULL,
    account_id  TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    status      TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    updated_by  TEXT NOT NULL,
    is_archived BOOLEAN NOT NULL DEFAULT FALSE,
    is_deleted  BOOLEAN NOT NULL DEFAULT FALSE,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    data        TEXT NOT NULL,
    search      TEXT NOT NULL
);

-- One board's cards in the order of the default sort.
CREATE INDEX record_by_board ON record
    (account_id, model, (data ->> 'board_id'), ((data ->> 'position') IS NULL), (data ->> 'position'), id)
    WHERE is_deleted = FALSE;

-- One column of a board in the same order.
CREATE INDEX record_by_board_and_status ON record
    (account_id, model, (data ->> 'board_id'), (data ->> 'status'), ((data ->> 'position') IS NULL), (data ->> 'position'), id)
    WHERE is_deleted = FALSE;

-- All of an account's rows in the order of the default sorts.
CREATE INDEX record_by_position ON record
    (account_id, model, ((data ->> 'position') IS NULL), (data ->> 'position'), id)
    WHERE is_deleted = FALSE;

CREATE INDEX record_by_creation ON record (account_id, model, created_at, id) WHERE is_deleted = FALSE;
