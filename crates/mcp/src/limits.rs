//! Limits of what a client may send and how long it may take: every one of the protocol layer, by
//! name. They are no settings: the transports take those.

use std::time::Duration;

/// Largest message, in bytes: an HTTP body or a line on stdio. Longer ones are refused (HTTP 413,
/// JSON-RPC -32600).
pub const MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// Deepest nesting of JSON in arguments. Set by the JSON reader; deeper input is refused with
/// -32602.
pub const JSON_DEPTH: usize = 127;

/// Deepest nesting of JSON in a schema that an endpoint lists: readers of JSON go no deeper than
/// this with the message around it.
pub const SCHEMA_DEPTH: usize = 100;

/// Longest request id, in bytes of JSON. Longer ones are refused with -32600.
pub const ID_BYTES: usize = 256;

/// Most messages in one 2025-03-26 batch.
pub const BATCH_MESSAGES: usize = 100;

/// Most argument problems listed in one answer; the rest are counted.
pub const REPORTED_PROBLEMS: usize = 20;

/// Most JSON values in arguments whose problems are named. The validator keeps every problem it
/// finds in memory, hundreds of bytes each, so beyond this wrong arguments are refused without
/// saying where; right ones pass at any number.
pub const EXAMINED_VALUES: usize = 50_000;

/// Longest piece of a caller's own value that an error repeats, in characters.
pub const REPEATED_CHARACTERS: usize = 100;

/// How long a tool may run unless it says otherwise, without the time in which it waits for its
/// user.
pub const TOOL_TIME: Duration = Duration::from_secs(120);

/// How long a layer of an endpoint may take for one request, beside what it goes around.
pub const LAYER_TIME: Duration = Duration::from_secs(30);

/// Most calls that run at the same time on one stdio connection. Further ones wait for their turn.
pub const CALLS_IN_FLIGHT: usize = 256;

/// Most calls that wait for their turn on one stdio connection. More are refused until one is done:
/// everything is read all the same, for it may be the answer or the cancellation that the others
/// wait for.
pub const CALLS_WAITING: usize = 1024;

/// Most bytes of the messages of calls that wait for their turn on one stdio connection. More are
/// refused until one is done.
pub const CALLS_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Most calls that are under way at the same time in one session or one channel over HTTP. More are
/// refused until one is done.
pub const SESSION_CALLS_IN_FLIGHT: usize = 256;

/// Bytes of answers that wait for a client that does not read, before stdio stops reading from it.
pub const STDIO_PENDING_BYTES: usize = 16 * 1024 * 1024;

/// Most HTTP connections at the same time; further ones are answered 503.
pub const HTTP_CONNECTIONS: usize = 1024;

/// Most HTTP connections of one address.
pub const HTTP_CONNECTIONS_OF_AN_ADDRESS: usize = 256;

/// Most HTTP connections beyond the cap, for health and to say 503.
pub const HTTP_SPARE_CONNECTIONS: usize = 128;

/// How long a client may take to send the head of a request on such a connection.
pub const HTTP_SPARE_HEAD_TIME: Duration = Duration::from_secs(5);

/// How long such a connection may keep the server waiting before it gives its place to a new one
/// when all are taken.
pub const HTTP_SPARE_PATIENCE: Duration = Duration::from_millis(250);

/// The same for every other connection.
pub const HTTP_PATIENCE: Duration = Duration::from_secs(5);

/// Most connections that are told 503 without any place, at the same time; further ones are closed.
pub const HTTP_TURNED_AWAY: usize = 128;

/// How long these may take to read it.
pub const HTTP_TURNED_AWAY_TIME: Duration = Duration::from_secs(1);

/// After how many seconds a client that was told 503 is asked to come back.
pub const HTTP_RETRY_SECONDS: u64 = 5;

/// Most bytes of memory that the requests of a program take together, as far as their bodies tell.
/// More are refused (503).
pub const HTTP_MEMORY_BYTES: usize = 256 * 1024 * 1024;

/// What a byte of a body counts for: itself, and what is made of it until it is answered.
pub const HTTP_MEMORY_PER_BYTE: usize = 4;

/// What a value in a body counts for beside its bytes: a node of a tree.
pub const HTTP_MEMORY_PER_VALUE: usize = 192;

/// How long a client may take to send the head of an HTTP request; also how long an idle connection
/// is kept.
pub const HTTP_HEAD_TIME: Duration = Duration::from_secs(30);

/// How long a client may take to send the body of an HTTP request.
pub const HTTP_BODY_TIME: Duration = Duration::from_secs(30);

/// Longest HTTP body that is read at once. A longer one, or one that does not announce its length,
/// waits for its turn.
pub const HTTP_SMALL_BODY_BYTES: u64 = 64 * 1024;

/// Smallest part of a message that a call keeps without copying it, in bytes, where it is at least
/// half of the message.
pub const SHARED_BYTES: usize = 64 * 1024;

/// Most requests with such a body at the same time, from reading it to the answer: arguments take
/// many times the memory of their JSON.
pub const HTTP_LARGE_BODIES: usize = 16;

/// Most bytes of a refused HTTP body that are read and thrown away, so that its sender can read the
/// refusal.
pub const HTTP_DISCARDED_BYTES: u64 = 16 * 1024 * 1024;

/// How long a client may leave an HTTP answer unread before its connection is closed.
pub const HTTP_WRITE_TIME: Duration = Duration::from_secs(30);

/// Most bytes of an HTTP request's head. A head that arrives in one piece may be a little longer:
/// it is measured when more has to be read.
pub const HTTP_HEAD_BYTES: usize = 64 * 1024;

/// Most header fields of an HTTP request.
pub const HTTP_HEADERS: usize = 100;

/// How long running calls may take to finish once the server was told to stop.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(5);

/// Most messages of one request that wait for a client that does not read; then the tool waits too.
pub const WAITING_MESSAGES: usize = 256;

/// Most bytes of such messages; then the tool waits too. A single message may be larger.
pub const WAITING_MESSAGE_BYTES: usize = 1024 * 1024;

/// How long a question to a legacy client may stay without an answer. The time limit of the call
/// does not run meanwhile.
pub const QUESTION_TIME: Duration = Duration::from_secs(15 * 60);

/// Longest name of a question to the user, in bytes.
pub const QUESTION_NAME_BYTES: usize = 128;

/// How long the state of a request that waits for answers stays good.
pub const REQUEST_STATE_TIME: Duration = Duration::from_secs(15 * 60);

/// How long a stream of events may be quiet before a comment keeps it open.
pub const KEEP_ALIVE_TIME: Duration = Duration::from_secs(15);

/// Longest address of a resource, in bytes.
pub const URI_BYTES: usize = 2048;

/// Most skills that one endpoint is given at once.
pub const SKILLS: usize = 1000;

/// Most files of one skill. Source: extension Skills, Limits.
pub const SKILL_FILES: usize = 512;

/// Most bytes of the files of one skill together. Source: extension Skills, Limits.
pub const SKILL_BYTES: usize = 16 * 1024 * 1024;

/// Most bytes of one file of a skill: it is read in one answer.
pub const SKILL_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Most bytes of a `SKILL.md`: a language model reads the whole of it.
pub const SKILL_TEXT_BYTES: usize = 512 * 1024;

/// Most bytes of the skills that an endpoint is given at once: they are kept in memory.
pub const ALL_SKILL_BYTES: usize = 64 * 1024 * 1024;

/// Most files and folders that are looked at in a folder of skills.
pub const SKILL_ENTRIES: usize = 20_000;

/// Deepest folder that is looked at in a folder of skills.
pub const SKILL_DEPTH: usize = 16;

/// Most values in one answer to a completion. Source: specification 2026-07-28, Completion.
pub const COMPLETION_VALUES: usize = 100;

/// Most messages of a session's stream that are kept after they were read, for a client that comes
/// back.
pub const KEPT_MESSAGES: usize = 64;

/// Most bytes of these messages of one stream. Older ones are dropped; a client that comes back
/// gets the rest.
pub const KEPT_MESSAGE_BYTES: usize = 1024 * 1024;

/// Most ended streams of a session that are kept for a client that comes back.
pub const ENDED_STREAMS: usize = 4;

/// Most bytes of these streams together. The one that ended last is kept whatever its size.
pub const ENDED_STREAM_BYTES: usize = 2 * 1024 * 1024;

/// Most bytes of messages that the streams of all sessions of one endpoint hold together, unless it
/// says otherwise with [`crate::http::SessionLimits`].
pub const ALL_STREAM_BYTES: usize = 256 * 1024 * 1024;

/// Most sessions of one endpoint over HTTP at the same time.
pub const SESSIONS: usize = 10_000;

/// How long a session may be idle.
pub const SESSION_IDLE_TIME: Duration = Duration::from_secs(30 * 60);

/// Most resources that one session subscribes to.
pub const SUBSCRIPTIONS: usize = 1000;

/// How long a task is kept, unless its endpoint says otherwise.
pub const TASK_TIME: Duration = Duration::from_secs(60 * 60);

/// Longest time that an endpoint may keep tasks.
pub const LONGEST_TASK_TIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often clients are told to ask how a task stands.
pub const TASK_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Most tasks of one endpoint at the same time.
pub const TASKS: usize = 1000;

/// Most tasks of one caller at the same time.
pub const TASKS_OF_A_CALLER: usize = 100;

/// Most bytes of the result of one task.
pub const TASK_RESULT_BYTES: usize = 4 * 1024 * 1024;

/// Most bytes of the results of all tasks of an endpoint together.
pub const ALL_TASK_RESULT_BYTES: usize = 64 * 1024 * 1024;

/// Most questions that one task puts to its client, those counted twice that an answer did not fit.
pub const TASK_QUESTIONS: usize = 256;

/// Most tasks that one subscription listens to.
pub const LISTENED_TASKS: usize = 1000;

/// How long a client is told to wait before it comes back to a stream.
pub const RETRY_TIME: Duration = Duration::from_millis(500);
