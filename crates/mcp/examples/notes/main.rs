//! Notes: an axum application with users in SQLite that exposes to each of them their own notes.
//! Run it with `cargo run -p footbridge-mcp --example notes -- [PORT] [FILE]`; without a file it
//! forgets everything at its end.
#![allow(
    clippy::print_stdout,
    reason = "its first lines tell the person at the terminal how to reach it"
)]

mod app;
mod page;
mod prompts;
mod store;
mod tools;

use footbridge_mcp::http::{ServerLimits, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(8000), |port| port.parse())?;
    let store = store::Store::open(arguments.next().as_deref()).await?;
    let taken = |error| {
        format!(
            "127.0.0.1:{port} cannot be served: {error}; name another port, or 0 for any that is free"
        )
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(taken)?;
    let origin = format!("http://{}", listener.local_addr()?);
    println!("Notes is at {origin}, for programs at {origin}/mcp.");
    let mut token = None;
    for (name, is_staff) in [("ada", false), ("grace", true)] {
        if let Some(keys) = store.add_user(name, is_staff).await? {
            println!(
                "{name}'s token{}: {}",
                if is_staff { " (staff)" } else { "" },
                keys.token
            );
            token.get_or_insert(keys.token);
        }
    }
    match token {
        Some(token) => println!("{}", how_to_use(&origin, &token)),
        None => println!("The tokens were shown when the file was made."),
    }
    let end = async {
        // Without a signal to wait for, it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    serve(
        listener,
        app::router(&store, &origin)?,
        ServerLimits::default(),
        end,
    )
    .await;
    Ok(())
}

/// Commands to paste.
fn how_to_use(origin: &str, token: &str) -> String {
    let bearer = format!("Authorization: Bearer {token}");
    let call = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create_note", "arguments": {"title": "Buy tea"}}}"#;
    format!(
        "\nclaude mcp add --transport http notes {origin}/mcp --header '{bearer}'\n\n\
         curl -s {origin}/mcp -H '{bearer}' -H 'Content-Type: application/json' -d '{call}'\n"
    )
}
