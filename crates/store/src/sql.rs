//! The statements of fixed text. But for those that are composed for a list of records or of
//! changes, nothing else in the workspace holds SQL.
//!
//! Plain SQL with numbered parameters: what SQLite alone understands is `BEGIN IMMEDIATE` and
//! `sqlite_master`.

pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
pub(crate) const COMMIT: &str = "COMMIT";
pub(crate) const ROLLBACK: &str = "ROLLBACK";
/// Reads some rows whole, in their order in the file, so that damaged pages are met.
pub(crate) const READ_SOME: &str = "SELECT max(number) AS last, sum(length(data) + length(search)) AS characters \
     FROM (SELECT number, data, search FROM record WHERE number > $1 ORDER BY number LIMIT 256)";
pub(crate) const WRITE_PROBE: &str =
    "INSERT INTO settled (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at";
/// Changes nothing, and fails where nothing may be changed.
pub(crate) const WRITABLE: &str = "UPDATE account SET id = id WHERE id = ''";
pub(crate) const MIGRATION_TABLES: &str =
    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1";

pub(crate) const ACCOUNT_ADD_LOCAL: &str = "INSERT INTO account (id, name, role, created_at) VALUES ($1, 'local', 'admin', $2) ON CONFLICT (id) DO NOTHING";
pub(crate) const ACCOUNT_ADD: &str = "INSERT INTO account (id, name, email, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
pub(crate) const ACCOUNT_LIST: &str = "SELECT id, name, email, role, password_hash IS NOT NULL AS has_password, created_at FROM account ORDER BY created_at, id";
pub(crate) const ACCOUNT_BY_ID: &str = "SELECT id, name, email, role, password_hash IS NOT NULL AS has_password, created_at FROM account WHERE id = $1";
pub(crate) const ACCOUNT_BY_NAME: &str = "SELECT id, name, email, role, password_hash IS NOT NULL AS has_password, created_at FROM account WHERE name = $1 OR email = $2";
pub(crate) const ACCOUNT_PASSWORD: &str = "SELECT id, password_hash FROM account WHERE email = $1";
pub(crate) const ACCOUNT_RECORDS: &str =
    "SELECT count(*) FROM record WHERE account_id = $1 AND is_deleted = FALSE";
pub(crate) const ACCOUNT_REMOVE: &str = "DELETE FROM account WHERE id = $1";

pub(crate) const TOKEN_ADD: &str = "INSERT INTO token (id, account_id, digest, prefix, name, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(crate) const TOKEN_LIST: &str = "SELECT id, account_id, prefix, name, scopes, created_at, expires_at, revoked_at FROM token \
     WHERE account_id = $1 ORDER BY created_at, id";
pub(crate) const TOKEN_REVOKE: &str = "UPDATE token SET revoked_at = $3 WHERE account_id = $1 AND (id = $2 OR prefix = $2) AND revoked_at IS NULL";
pub(crate) const TOKEN_AUTHENTICATE: &str = "SELECT account.id, account.name, account.email, account.role, \
     account.password_hash IS NOT NULL AS has_password, account.created_at, token.scopes \
     FROM token JOIN account ON account.id = token.account_id \
     WHERE token.digest = $1 AND token.revoked_at IS NULL AND (token.expires_at IS NULL OR token.expires_at > $2)";

pub(crate) const SESSION_ADD: &str = "INSERT INTO session (id, account_id, digest, created_at, expires_at, replaces) VALUES ($1, $2, $3, $4, $5, $6)";
pub(crate) const SESSION_AUTHENTICATE: &str = "SELECT account.id, account.name, account.email, account.role, \
     account.password_hash IS NOT NULL AS has_password, account.created_at, \
     session.id AS session_id, session.created_at AS session_created_at, session.replaces, session.used_at, session.offered_at \
     FROM session JOIN account ON account.id = session.account_id WHERE session.digest = $1 AND session.expires_at > $2";
pub(crate) const SESSION_FIRST_USE: &str =
    "UPDATE session SET used_at = $2 WHERE id = $1 AND used_at IS NULL";
pub(crate) const SESSION_END_BY: &str =
    "UPDATE session SET expires_at = $2 WHERE id = $1 AND expires_at > $2";
pub(crate) const SESSION_OFFER: &str = "UPDATE session SET offered_at = $2 WHERE id = $1 AND expires_at > $2 AND (offered_at IS NULL OR offered_at <= $3) RETURNING account_id";
pub(crate) const SESSION_CLEAR: &str =
    "DELETE FROM session WHERE account_id = $1 AND expires_at <= $2";

pub(crate) const RECORD_ADD: &str = "INSERT INTO record \
     (id, model, account_id, status, created_by, updated_by, created_at, updated_at, data, search) \
     VALUES ($1, $2, $3, $4, $3, $3, $5, $5, $6, $7)";
pub(crate) const RECORD_READ: &str = "SELECT id, model, account_id, status, created_by, updated_by, is_archived, is_deleted, created_at, updated_at, \
     data FROM record WHERE id = $1 AND account_id = $2 AND model = $3 AND is_deleted = FALSE";
pub(crate) const RECORD_CHANGE: &str =
    "UPDATE record SET data = $2, search = $3, updated_by = $4, updated_at = $5 WHERE id = $1";
pub(crate) const RECORD_DELETE: &str = "UPDATE record SET is_deleted = TRUE, updated_by = $2, updated_at = $4 \
     WHERE id = $1 AND account_id = $2 AND model = $3 AND is_deleted = FALSE";
pub(crate) const RECORD_IS_THERE: &str = "SELECT count(*) FROM record WHERE id = $1 AND account_id = $2 AND model = $3 AND is_deleted = FALSE";

/// How many rows the index of searches finds, up to a number.
pub(crate) const SEARCH_COUNT: &str =
    "SELECT count(*) FROM (SELECT 1 FROM record_search WHERE record_search MATCH $1 LIMIT $2)";
pub(crate) const BEGIN_READ: &str = "BEGIN";

pub(crate) const SAVEPOINT: &str = "SAVEPOINT one";
pub(crate) const ROLLBACK_TO: &str = "ROLLBACK TO one";
pub(crate) const RELEASE: &str = "RELEASE one";

pub(crate) const CHANGE_ADD: &str = "INSERT INTO change (step, at, state, door, caller, client, client_version, connector, address, account, tool, effect, \
     fingerprint, undoes, expires_at, process, size, arguments, request) \
     VALUES ((SELECT coalesce(max(step), 0) + 1 FROM change), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING id";
/// The same with the first of its records: one way to the database instead of two.
pub(crate) const CHANGE_ADD_WITH_RECORD: &str = "INSERT INTO change (step, at, state, door, caller, client, client_version, connector, address, account, tool, effect, \
     fingerprint, undoes, expires_at, process, size, arguments, request) \
     VALUES ((SELECT coalesce(max(step), 0) + 1 FROM change), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING id; \
     INSERT INTO change_record (change, connector, kind, record, name, version, ignored, without_image, image_before, image_after, instead_of) \
     VALUES (last_insert_rowid(), $7, $19, $20, $21, $22, $23, $24, $25, $26, $27)";
pub(crate) const CHANGE_UNDONE_SINCE: &str = "SELECT id FROM change WHERE undoes = $1 AND step > $2 AND state IN ('sent', 'done', 'unknown')";
/// Brings a change into another state from one of two. With it comes what the audit says of it, and
/// the last row of that, which saves the ways to ask.
pub(crate) const CHANGE_STEP: &str = "UPDATE change SET step = (SELECT coalesce(max(step), 0) + 1 FROM change), state = $2, ended_at = $3, message = $4, \
     size = size + $5, decided_by = coalesce($8, decided_by), decided_at = coalesce($9, decided_at), process = $10, request = NULL, undo_values = coalesce($11, undo_values) \
     WHERE id = $1 AND state IN ($6, $7) RETURNING id, state, door, caller, client, connector, tool, effect, fingerprint, undoes, decided_by, message, expires_at, \
     (SELECT json_group_array(name) FROM (SELECT kind || ':' || record AS name FROM change_record WHERE change_record.change = change.id ORDER BY kind, record LIMIT 20)) AS named, \
     (SELECT sequence || ':' || digest FROM audit ORDER BY sequence DESC LIMIT 1) AS audit_last";
/// The same with its row of the audit, where the audit still ends at `$12`; else nothing.
pub(crate) const CHANGE_STEP_AUDITED: &str = "UPDATE change SET step = (SELECT coalesce(max(step), 0) + 1 FROM change), state = $2, ended_at = $3, message = $4, \
     size = size + $5, decided_by = coalesce($8, decided_by), decided_at = coalesce($9, decided_at), process = $10, request = NULL, undo_values = coalesce($11, undo_values) \
     WHERE id = $1 AND state IN ($6, $7) AND (SELECT sequence || ':' || digest FROM audit ORDER BY sequence DESC LIMIT 1) = $12; \
     INSERT INTO audit (sequence, at, kind, detail, previous, digest) SELECT $13, $14, $15, $16, $17, $18 WHERE changes() = 1";
pub(crate) const CHANGES_EXPIRED: &str =
    "SELECT id FROM change WHERE state = 'proposed' AND state <> 'done' AND expires_at <= $1";
pub(crate) const CHANGE_PROCESSES: &str =
    "SELECT DISTINCT coalesce(process, '') FROM change WHERE state = 'sent' AND state <> 'done'";
pub(crate) const CHANGE_INTERRUPTED: &str = "UPDATE change SET step = (SELECT coalesce(max(step), 0) + 1 FROM change), state = $2, ended_at = $3, \
     message = $4, process = NULL WHERE state = $1 AND state <> 'done' AND coalesce(process, '') = $5 AND ($6 OR at < $7) \
     RETURNING id, state, door, caller, client, connector, tool, effect, fingerprint, undoes, decided_by, message, \
     (SELECT json_group_array(name) FROM (SELECT kind || ':' || record AS name FROM change_record WHERE change_record.change = change.id ORDER BY kind, record LIMIT 20)) AS named";
/// A number that is another one whenever another connection committed something.
pub(crate) const DATA_VERSION: &str = "PRAGMA data_version";
pub(crate) const CHANGE_LAST_STEP: &str = "SELECT coalesce(max(step), 0) FROM change";
/// What a clock that was ahead wrote is not lately.
pub(crate) const CHANGE_RATE: &str = "SELECT count(*) AS hour, count(*) FILTER (WHERE at > $3) AS minute FROM change WHERE caller = $1 AND at > $2 AND at <= $4";
pub(crate) const CHANGE_RECORDS: &str = "SELECT kind, record, name, version, ignored, without_image, image_before, image_after, instead_of \
     FROM change_record WHERE change = $1 ORDER BY kind, record";
/// The last step stays, so that its number is not used again.
pub(crate) const CHANGE_FORGET_OLD: &str = "DELETE FROM change WHERE id IN (SELECT id FROM change WHERE at < $1 \
     AND state NOT IN ('proposed', 'sent', 'unknown') AND step < (SELECT max(step) FROM change) ORDER BY at LIMIT $2)";
/// A row takes room beside its texts.
pub(crate) const CHANGE_BYTES: &str = "SELECT coalesce(sum(size + 1024), 0) FROM change";
/// The oldest that together take this much.
pub(crate) const CHANGE_FORGET_LARGE: &str = "DELETE FROM change WHERE id IN (SELECT id FROM \
     (SELECT id, sum(size + 1024) OVER (ORDER BY at, id ROWS UNBOUNDED PRECEDING) - size - 1024 AS older FROM change \
     WHERE state NOT IN ('proposed', 'sent', 'unknown') AND step < (SELECT max(step) FROM change)) WHERE older < $1 ORDER BY older LIMIT $2)";
pub(crate) const CHANGE_STATE: &str = "SELECT state FROM change WHERE id = $1";
pub(crate) const CHANGE_RECORD_ADD: &str = "INSERT INTO change_record (change, connector, kind, record, name, version, ignored, without_image, image_before, image_after, instead_of) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (change, kind, record) DO UPDATE SET \
     name = coalesce(excluded.name, name), version = coalesce(excluded.version, version), ignored = coalesce(excluded.ignored, ignored), \
     without_image = coalesce(excluded.without_image, without_image), \
     image_before = coalesce(excluded.image_before, image_before), image_after = coalesce(excluded.image_after, image_after), \
     instead_of = coalesce(excluded.instead_of, instead_of)";

pub(crate) const CHANGE_KEY_CLEAR: &str = "DELETE FROM change_key WHERE expires_at <= $1";
pub(crate) const CHANGE_KEY: &str = "SELECT change.id, change.state, change.at, change_key.fingerprint, change_key.answer \
     FROM change_key JOIN change ON change.id = change_key.change \
     WHERE change_key.caller = $1 AND change_key.target = $2 AND change_key.key = $3 AND change_key.expires_at > $4";
pub(crate) const KEY_ROOM: &str = "SELECT count(*) AS rooms, coalesce(sum(calls), 0) AS calls, coalesce(sum(characters), 0) AS characters, \
     coalesce(sum(calls) FILTER (WHERE room = $1), 0) AS own_calls, \
     coalesce(sum(characters) FILTER (WHERE room = $1), 0) AS own_characters FROM key_room";
pub(crate) const CHANGE_KEY_ADD: &str = "INSERT INTO change_key (caller, target, key, change, fingerprint, expires_at, room) VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(crate) const CHANGE_KEY_ANSWER: &str =
    "UPDATE change_key SET answer = $2, size = coalesce(length($2), 0) WHERE change = $1";
pub(crate) const CHANGE_KEY_FREE: &str = "DELETE FROM change_key WHERE change = $1";

pub(crate) const LEASE_CLEAR: &str = "DELETE FROM lease WHERE until < $1 OR until > $2";
pub(crate) const LEASE_COUNT: &str =
    "SELECT count(*) FROM lease WHERE caller = $1 AND until > $2 AND until <= $3";
/// The first of some records that is free, else the one that is free first, with its lease.
pub(crate) const LEASE_FIRST_FREE: &str = "SELECT ids.value AS id, lease.connector, lease.kind, lease.record, lease.caller, lease.holder, lease.claimed_at, \
     lease.until, lease.note FROM json_each($5) AS ids \
     LEFT JOIN lease ON lease.connector = $1 AND lease.kind = $2 AND lease.record = ids.value \
     ORDER BY CASE WHEN lease.until > $3 AND lease.until <= $4 THEN lease.until ELSE '' END, ids.key LIMIT 1";
pub(crate) const LEASE_CLAIM: &str = "INSERT INTO lease (connector, kind, record, caller, holder, digest, claimed_at, until, note) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (connector, kind, record) DO UPDATE SET \
     caller = excluded.caller, holder = excluded.holder, digest = excluded.digest, claimed_at = excluded.claimed_at, until = excluded.until, note = excluded.note \
     RETURNING connector, kind, record, caller, holder, claimed_at, until, note";
pub(crate) const LEASE_MOVE: &str = "UPDATE lease SET until = $2, note = coalesce($3, note) WHERE digest = $1 AND until > $4 AND until <= $5 \
     RETURNING connector, kind, record, caller, holder, claimed_at, until, note";
pub(crate) const LEASE_END: &str = "UPDATE lease SET until = $4 WHERE connector = $1 AND kind = $2 AND record = $3 AND until > $4 \
     RETURNING connector, kind, record, caller, holder, claimed_at, until, note";
pub(crate) const LEASE_LIST: &str = "SELECT connector, kind, record, caller, holder, claimed_at, until, note FROM lease \
     WHERE until > $1 AND until <= $2 AND ($3 IS NULL OR connector = $3) ORDER BY until LIMIT $4";
pub(crate) const LEASE_OF_RECORD: &str = "SELECT connector, kind, record, caller, holder, claimed_at, until, note, digest FROM lease \
     WHERE connector = $1 AND kind = $2 AND record = $3";
pub(crate) const LEASE_OF_TOKEN: &str = "SELECT connector, kind, record, caller, holder, claimed_at, until, note FROM lease \
     WHERE digest = $1 AND until > $2 AND until <= $3";

pub(crate) const SIGN_IN_CODE_CLEAR: &str =
    "DELETE FROM sign_in_code WHERE until <= $1 OR until > $2";
pub(crate) const SIGN_IN_CODE_ADD: &str =
    "INSERT INTO sign_in_code (digest, origin, until) VALUES ($1, $2, $3)";
pub(crate) const SIGN_IN_CODE_IS_THERE: &str =
    "SELECT count(*) FROM sign_in_code WHERE digest = $1 AND until > $2 AND until <= $3";
pub(crate) const SIGN_IN_CODE_TAKE: &str =
    "DELETE FROM sign_in_code WHERE digest = $1 RETURNING origin, until";

pub(crate) const AUDIT_LAST: &str =
    "SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1";
pub(crate) const AUDIT_LAST_TIME: &str = "SELECT at FROM audit ORDER BY sequence DESC LIMIT 1";
pub(crate) const AUDIT_ANCHOR: &str = "SELECT sequence, digest FROM audit_anchor WHERE id = 1";
pub(crate) const AUDIT_ANCHOR_SET: &str = "INSERT INTO audit_anchor (id, sequence, digest, at) VALUES (1, $1, $2, $3) \
     ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, digest = excluded.digest, at = excluded.at";
pub(crate) const AUDIT_ADD: &str = "INSERT INTO audit (sequence, at, kind, detail, previous, digest) VALUES ($1, $2, $3, $4, $5, $6)";
pub(crate) const AUDIT_ROWS: &str = "SELECT sequence, at, kind, detail, previous, digest FROM audit \
     WHERE sequence > $1 AND at >= $2 ORDER BY sequence LIMIT $3";
/// The last of the first rows that are all too old.
pub(crate) const AUDIT_LAST_OLD: &str = "SELECT sequence, digest FROM (SELECT sequence, digest FROM audit WHERE sequence < \
     coalesce((SELECT sequence FROM audit WHERE at >= $1 ORDER BY sequence LIMIT 1), 9223372036854775807) ORDER BY sequence LIMIT $2) \
     ORDER BY sequence DESC LIMIT 1";
/// The last of the first rows that are beyond this many.
pub(crate) const AUDIT_LAST_BEYOND: &str = "SELECT sequence, digest FROM (SELECT sequence, digest FROM audit \
     WHERE sequence <= (SELECT max(sequence) FROM audit) - $1 ORDER BY sequence LIMIT $2) ORDER BY sequence DESC LIMIT 1";
pub(crate) const AUDIT_FORGET: &str = "DELETE FROM audit WHERE sequence <= $1";
