-- Calls that carried a key of the caller's, so that the same call again is not carried out twice.
-- A call that is begun and not done was interrupted, or is under way.

CREATE TABLE kept_call (
    caller      TEXT NOT NULL,
    tool        TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    begun_at    TEXT NOT NULL,
    expires_at  TEXT NOT NULL,
    is_done     BOOLEAN NOT NULL DEFAULT FALSE,
    -- characters of the answer, which is not read to be counted
    size        INTEGER NOT NULL DEFAULT 0,
    answer      TEXT,
    PRIMARY KEY (caller, tool, key)
);

CREATE INDEX kept_call_by_end ON kept_call (expires_at);
