//! The statements of fixed text. But for the statement that is composed for a list, nothing else in
//! the workspace holds SQL.
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

pub(crate) const KEPT_CALL_CLEAR: &str = "DELETE FROM kept_call WHERE expires_at <= $1";
pub(crate) const KEPT_CALL: &str = "SELECT fingerprint, begun_at, is_done, answer FROM kept_call WHERE caller = $1 AND tool = $2 AND key = $3";
pub(crate) const KEPT_CALL_ROOM: &str = "SELECT count(*) AS rooms, coalesce(sum(calls), 0) AS calls, coalesce(sum(characters), 0) AS characters, \
     coalesce(sum(calls) FILTER (WHERE room = $1), 0) AS own_calls, \
     coalesce(sum(characters) FILTER (WHERE room = $1), 0) AS own_characters FROM kept_room";
pub(crate) const KEPT_CALL_BEGIN: &str = "INSERT INTO kept_call (caller, tool, key, fingerprint, begun_at, expires_at, room) VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(crate) const KEPT_CALL_DONE: &str = "UPDATE kept_call SET is_done = TRUE, answer = $4, size = coalesce(length($4), 0) WHERE caller = $1 AND tool = $2 AND key = $3 AND is_done = FALSE";
pub(crate) const KEPT_CALL_FORGET: &str =
    "DELETE FROM kept_call WHERE caller = $1 AND tool = $2 AND key = $3 AND is_done = FALSE";
