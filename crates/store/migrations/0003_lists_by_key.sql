-- Every list, sort and single filter is found by an index, and searches by theirs. Rows get a number that stays, which the search
-- index knows them by.

CREATE TABLE record_numbered (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
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

INSERT INTO record_numbered
    (id, model, account_id, status, created_by, updated_by, is_archived, is_deleted, created_at, updated_at, data, search)
    SELECT id, model, account_id, status, created_by, updated_by, is_archived, is_deleted, created_at, updated_at, data, search
    FROM record ORDER BY id;

DROP TABLE record;
ALTER TABLE record_numbered RENAME TO record;

-- All of an account's rows in the order of each sort. A row without the value stands before the others, and is read after them.
CREATE INDEX record_by_creation ON record (account_id, model, created_at, id) WHERE is_deleted = FALSE;
CREATE INDEX record_by_change ON record (account_id, model, updated_at, id) WHERE is_deleted = FALSE;
CREATE INDEX record_by_position ON record (account_id, model, (data ->> 'position'), id) WHERE is_deleted = FALSE;
CREATE INDEX record_by_status ON record (account_id, model, (data ->> 'status'), id) WHERE is_deleted = FALSE;
CREATE INDEX record_by_due_date ON record (account_id, model, (data ->> 'due_date'), id) WHERE is_deleted = FALSE;
CREATE INDEX record_by_priority ON record
    (account_id, model, (CASE data ->> 'priority' WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 WHEN 'critical' THEN 3 END), id)
    WHERE is_deleted = FALSE;

-- What each filter finds, in the order of the cards' default sort.
CREATE INDEX record_of_board ON record
    (account_id, model, (coalesce(data ->> 'board_id', '')), (data ->> 'position'), id) WHERE is_deleted = FALSE;
CREATE INDEX record_of_board_and_status ON record
    (account_id, model, (coalesce(data ->> 'board_id', '')), (coalesce(data ->> 'status', '')), (data ->> 'position'), id)
    WHERE is_deleted = FALSE;
CREATE INDEX record_of_status ON record
    (account_id, model, (coalesce(data ->> 'status', '')), (data ->> 'position'), id) WHERE is_deleted = FALSE;
CREATE INDEX record_of_priority ON record
    (account_id, model, (coalesce(data ->> 'priority', '')), (data ->> 'position'), id) WHERE is_deleted = FALSE;
CREATE INDEX record_of_assignee ON record
    (account_id, model, (coalesce(data ->> 'assignee', '')), (data ->> 'position'), id) WHERE is_deleted = FALSE;
CREATE INDEX record_archived ON record
    (account_id, model, (data ->> 'position'), id) WHERE is_deleted = FALSE AND is_archived = TRUE;

-- The rows that have a tag, in the same order.
CREATE TABLE record_tag (
    account_id TEXT NOT NULL,
    model      TEXT NOT NULL,
    tag        TEXT NOT NULL,
    is_missing BOOLEAN NOT NULL,
    position   NOT NULL,
    id         TEXT NOT NULL,
    number     INTEGER NOT NULL,
    PRIMARY KEY (account_id, model, tag, is_missing, position, id)
) WITHOUT ROWID;

-- Which rows hold three characters beside each other. What a search finds here is looked at: no places are kept.
CREATE VIRTUAL TABLE record_search USING fts5
    (text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1');

CREATE TRIGGER record_is_added AFTER INSERT ON record WHEN new.is_deleted = FALSE BEGIN
    INSERT INTO record_search (rowid, text) VALUES (new.number, new.search);
    INSERT OR IGNORE INTO record_tag (account_id, model, tag, is_missing, position, id, number)
        SELECT new.account_id, new.model, held.value, (new.data ->> 'position') IS NULL, coalesce(new.data ->> 'position', 0), new.id, new.number
        FROM json_each(new.data, '$.tags') AS held WHERE held.type = 'text';
END;

CREATE TRIGGER record_search_changes AFTER UPDATE OF search, is_deleted ON record
    WHEN new.is_deleted <> old.is_deleted OR new.search <> old.search BEGIN
    DELETE FROM record_search WHERE rowid = old.number AND old.is_deleted = FALSE;
    INSERT INTO record_search (rowid, text) SELECT new.number, new.search WHERE new.is_deleted = FALSE;
END;

CREATE TRIGGER record_tags_change AFTER UPDATE OF data, is_deleted ON record
    WHEN new.is_deleted <> old.is_deleted OR (new.data -> 'tags') IS NOT (old.data -> 'tags')
        OR (new.data -> 'position') IS NOT (old.data -> 'position') BEGIN
    DELETE FROM record_tag WHERE account_id = old.account_id AND model = old.model
        AND tag IN (SELECT held.value FROM json_each(old.data, '$.tags') AS held WHERE held.type = 'text')
        AND is_missing = ((old.data ->> 'position') IS NULL) AND position = coalesce(old.data ->> 'position', 0) AND id = old.id;
    INSERT OR IGNORE INTO record_tag (account_id, model, tag, is_missing, position, id, number)
        SELECT new.account_id, new.model, held.value, (new.data ->> 'position') IS NULL, coalesce(new.data ->> 'position', 0), new.id, new.number
        FROM json_each(new.data, '$.tags') AS held WHERE held.type = 'text' AND new.is_deleted = FALSE;
END;

CREATE TRIGGER record_is_erased AFTER DELETE ON record WHEN old.is_deleted = FALSE BEGIN
    DELETE FROM record_search WHERE rowid = old.number;
    DELETE FROM record_tag WHERE account_id = old.account_id AND model = old.model
        AND tag IN (SELECT held.value FROM json_each(old.data, '$.tags') AS held WHERE held.type = 'text')
        AND is_missing = ((old.data ->> 'position') IS NULL) AND position = coalesce(old.data ->> 'position', 0) AND id = old.id;
END;

INSERT INTO record_search (rowid, text) SELECT number, search FROM record WHERE is_deleted = FALSE;
INSERT OR IGNORE INTO record_tag (account_id, model, tag, is_missing, position, id, number)
    SELECT account_id, model, held.value, (data ->> 'position') IS NULL, coalesce(data ->> 'position', 0), record.id, number
    FROM record, json_each(record.data, '$.tags') AS held WHERE is_deleted = FALSE AND held.type = 'text';

-- Written after a write that failed at its last step, so that nothing of that one is left in the log.
CREATE TABLE settled (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at TEXT NOT NULL
);

-- Room is counted where calls come and go, not by counting all that are kept. Each client has a room, whoever it calls as.
ALTER TABLE kept_call ADD COLUMN room TEXT NOT NULL DEFAULT '';
UPDATE kept_call SET room = caller;

CREATE TABLE kept_room (
    room       TEXT PRIMARY KEY NOT NULL,
    calls      INTEGER NOT NULL,
    characters INTEGER NOT NULL
);

INSERT INTO kept_room (room, calls, characters) SELECT room, count(*), sum(size) FROM kept_call GROUP BY room;

CREATE TRIGGER kept_call_begins AFTER INSERT ON kept_call BEGIN
    INSERT INTO kept_room (room, calls, characters) VALUES (new.room, 1, new.size)
        ON CONFLICT (room) DO UPDATE SET calls = calls + 1, characters = characters + excluded.characters;
END;

CREATE TRIGGER kept_call_ends AFTER UPDATE OF size ON kept_call BEGIN
    UPDATE kept_room SET characters = characters + new.size - old.size WHERE room = new.room;
END;

CREATE TRIGGER kept_call_is_forgotten AFTER DELETE ON kept_call BEGIN
    UPDATE kept_room SET calls = calls - 1, characters = characters - old.size WHERE room = old.room;
    DELETE FROM kept_room WHERE room = old.room AND calls = 0;
END;
