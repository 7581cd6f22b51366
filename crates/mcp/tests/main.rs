//! The protocol core as a client meets it: over sockets, over pipes and through `Endpoint::call`.
//! What one module does alone is tested beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly; the exemption for tests covers only the test functions themselves"
)]

#[path = "main/rmcp_wire.rs"]
mod rmcp_wire;
#[path = "main/schemas.rs"]
mod schemas;
#[path = "main/wire.rs"]
mod wire;
#[path = "main/world.rs"]
mod world;

#[path = "main/held.rs"]
mod held;

#[path = "main/calls.rs"]
mod calls;
#[path = "main/changing.rs"]
mod changing;
#[path = "main/compiler.rs"]
mod compiler;
#[path = "main/layered_doors.rs"]
mod layered_doors;
#[path = "main/layers.rs"]
mod layers;
#[path = "main/ledger.rs"]
mod ledger;
#[path = "main/shop.rs"]
mod shop;
#[path = "main/shown.rs"]
mod shown;

#[path = "main/listed_schemas.rs"]
mod listed_schemas;
#[path = "main/logged.rs"]
mod logged;
#[path = "main/marks.rs"]
mod marks;
#[path = "main/message_bytes.rs"]
mod message_bytes;
#[path = "main/methods.rs"]
mod methods;
#[path = "main/pinned.rs"]
mod pinned;
#[path = "main/pinned_requests.rs"]
mod pinned_requests;
#[path = "main/served.rs"]
mod served;
#[path = "main/typed_questions.rs"]
mod typed_questions;
#[path = "main/typed_things.rs"]
mod typed_things;
#[path = "main/typed_tools.rs"]
mod typed_tools;
#[path = "main/whole_types.rs"]
mod whole_types;
#[path = "main/zoo.rs"]
mod zoo;

#[path = "main/endings.rs"]
mod endings;
#[path = "main/html_pages.rs"]
mod html_pages;
#[path = "main/http_auth.rs"]
mod http_auth;
#[path = "main/http_callers.rs"]
mod http_callers;
#[path = "main/http_client.rs"]
mod http_client;
#[path = "main/http_connections.rs"]
mod http_connections;
#[path = "main/http_crowds.rs"]
mod http_crowds;
#[path = "main/http_doors.rs"]
mod http_doors;
#[path = "main/http_headers.rs"]
mod http_headers;
#[path = "main/http_origins.rs"]
mod http_origins;
#[path = "main/http_revisions.rs"]
mod http_revisions;

#[path = "main/http_router.rs"]
mod http_router;
#[path = "main/http_wire.rs"]
mod http_wire;

#[path = "main/starts.rs"]
mod starts;
#[path = "main/stdio_bad_input.rs"]
mod stdio_bad_input;
#[path = "main/stdio_client.rs"]
mod stdio_client;
#[path = "main/stdio_end.rs"]
mod stdio_end;
#[path = "main/stdio_order.rs"]
mod stdio_order;
#[path = "main/stdio_talk.rs"]
mod stdio_talk;

#[path = "main/channel.rs"]
mod channel;
#[path = "main/greeting.rs"]
mod greeting;
#[path = "main/hall.rs"]
mod hall;
#[path = "main/jobs.rs"]
mod jobs;
#[path = "main/pages.rs"]
mod pages;
#[path = "main/questions.rs"]
mod questions;
#[path = "main/questions_in_sessions.rs"]
mod questions_in_sessions;
#[path = "main/session_batches.rs"]
mod session_batches;
#[path = "main/session_crowd.rs"]
mod session_crowd;
#[path = "main/session_streams.rs"]
mod session_streams;
#[path = "main/sessions.rs"]
mod sessions;
#[path = "main/sse.rs"]
mod sse;
#[path = "main/sse_limits.rs"]
mod sse_limits;
#[path = "main/subscriptions.rs"]
mod subscriptions;
#[path = "main/tasks_asking.rs"]
mod tasks_asking;
#[path = "main/tasks_doors.rs"]
mod tasks_doors;
#[path = "main/tasks_heard.rs"]
mod tasks_heard;
#[path = "main/tasks_kept.rs"]
mod tasks_kept;
#[path = "main/tasks_life.rs"]
mod tasks_life;
#[path = "main/things.rs"]
mod things;
#[path = "main/visibility.rs"]
mod visibility;
#[path = "main/voice.rs"]
mod voice;

#[path = "main/any_bytes.rs"]
mod any_bytes;
