//! Users and notes in SQLite. Every statement about notes names their owner: whose note it is not,
//! for them it does not exist.

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{FromRow, Row as _};

/// Most notes in one answer.
pub(crate) const MOST_NOTES: u32 = 100;

/// The database.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pool: SqlitePool,
}

/// Somebody with notes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct User {
    /// Number of the user.
    pub(crate) id: i64,
    /// Name for signing in.
    pub(crate) name: String,
    /// Whether they run this application.
    pub(crate) is_staff: bool,
}

/// A note.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Note {
    /// Number of the note.
    pub(crate) id: i64,
    /// Title, one line.
    pub(crate) title: String,
    /// Text.
    pub(crate) body: String,
}

impl FromRow<'_, SqliteRow> for User {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            is_staff: row.try_get("is_staff")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Note {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            title: row.try_get("title")?,
            body: row.try_get("body")?,
        })
    }
}

/// What a user proves who they are with. Only its hash is kept.
pub(crate) struct Keys {
    pub(crate) token: String,
}

impl Store {
    /// Opens a file, or a database in memory.
    pub(crate) async fn open(file: Option<&str>) -> Result<Self, sqlx::Error> {
        let options = match file {
            Some(file) => SqliteConnectOptions::new()
                .filename(file)
                .create_if_missing(true),
            None => SqliteConnectOptions::new().in_memory(true),
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.foreign_keys(true))
            .await?;
        sqlx::raw_sql(
            "create table if not exists user (
                 id integer primary key, name text not null unique, is_staff integer not null,
                 token_hash blob not null unique, session_hash blob unique);
             create table if not exists note (
                 id integer primary key, owner integer not null references user, title text not null, body text not null);",
        )
        .execute(&pool)
        .await?;
        Ok(Self { pool })
    }

    /// Adds a user with new keys; none when there already is one of that name.
    pub(crate) async fn add_user(
        &self,
        name: &str,
        is_staff: bool,
    ) -> Result<Option<Keys>, Box<dyn std::error::Error>> {
        let keys = Keys { token: random()? };
        let added = sqlx::query("insert into user (name, is_staff, token_hash) values (?, ?, ?) on conflict (name) do nothing")
            .bind(name)
            .bind(is_staff)
            .bind(hash(&keys.token))
            .execute(&self.pool)
            .await?;
        Ok((added.rows_affected() > 0).then_some(keys))
    }

    pub(crate) async fn user_of_token(&self, token: &str) -> Result<Option<User>, sqlx::Error> {
        let query = sqlx::query_as("select id, name, is_staff from user where token_hash = ?");
        query.bind(hash(token)).fetch_optional(&self.pool).await
    }

    /// A new session for the user of this token, in the place of the one before; none when nobody
    /// has the token.
    pub(crate) async fn sign_in(
        &self,
        token: &str,
    ) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
        let session = random()?;
        let query = sqlx::query("update user set session_hash = ? where token_hash = ?")
            .bind(hash(&session))
            .bind(hash(token));
        let is_known = query.execute(&self.pool).await?.rows_affected() > 0;
        Ok(is_known.then_some(session))
    }

    pub(crate) async fn user_of_session(&self, session: &str) -> Result<Option<User>, sqlx::Error> {
        let query = sqlx::query_as("select id, name, is_staff from user where session_hash = ?");
        query.bind(hash(session)).fetch_optional(&self.pool).await
    }

    pub(crate) async fn users(&self) -> Result<Vec<User>, sqlx::Error> {
        sqlx::query_as("select id, name, is_staff from user order by id")
            .fetch_all(&self.pool)
            .await
    }

    /// The owner's notes that hold a text, newest first.
    pub(crate) async fn notes(
        &self,
        owner: i64,
        text: &str,
        limit: u32,
    ) -> Result<Vec<Note>, sqlx::Error> {
        sqlx::query_as(
            "select id, title, body from note where owner = ? and instr(lower(title || char(10) || body), lower(?)) order by id desc limit ?",
        )
        .bind(owner)
        .bind(text)
        .bind(limit.min(MOST_NOTES))
        .fetch_all(&self.pool)
        .await
    }

    pub(crate) async fn note(&self, owner: i64, id: i64) -> Result<Option<Note>, sqlx::Error> {
        let query = sqlx::query_as("select id, title, body from note where owner = ? and id = ?");
        query.bind(owner).bind(id).fetch_optional(&self.pool).await
    }

    pub(crate) async fn add_note(
        &self,
        owner: i64,
        title: &str,
        body: &str,
    ) -> Result<Note, sqlx::Error> {
        let query = sqlx::query_as(
            "insert into note (owner, title, body) values (?, ?, ?) returning id, title, body",
        );
        query
            .bind(owner)
            .bind(title)
            .bind(body)
            .fetch_one(&self.pool)
            .await
    }

    /// Changes what is given; none when there is no such note.
    pub(crate) async fn change_note(
        &self,
        owner: i64,
        id: i64,
        title: Option<&str>,
        body: Option<&str>,
    ) -> Result<Option<Note>, sqlx::Error> {
        let query = sqlx::query_as(
            "update note set title = coalesce(?, title), body = coalesce(?, body) where owner = ? and id = ? returning id, title, body",
        );
        query
            .bind(title)
            .bind(body)
            .bind(owner)
            .bind(id)
            .fetch_optional(&self.pool)
            .await
    }

    /// Says whether there was such a note.
    pub(crate) async fn delete_note(&self, owner: i64, id: i64) -> Result<bool, sqlx::Error> {
        let query = sqlx::query("delete from note where owner = ? and id = ?");
        Ok(query
            .bind(owner)
            .bind(id)
            .execute(&self.pool)
            .await?
            .rows_affected()
            > 0)
    }

    pub(crate) async fn count(&self, owner: i64) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("select count(*) from note where owner = ?")
            .bind(owner)
            .fetch_one(&self.pool)
            .await
    }

    /// How many notes each user has.
    pub(crate) async fn count_by_user(&self) -> Result<Vec<(String, i64)>, sqlx::Error> {
        let query = "select name, count(note.id) from user left join note on owner = user.id group by user.id order by user.id";
        sqlx::query_as(query).fetch_all(&self.pool).await
    }
}

/// A secret that nobody can guess.
fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Enough for secrets that were drawn at random; passwords want a slow hash.
fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
