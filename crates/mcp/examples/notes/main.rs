//! Notes: an axum application with users in SQLite that exposes to each of them their own notes.
//! Run it with `cargo run -p footbridge-mcp --example notes -- [PORT] [FILE]`; without a file it forgets everything at its end.
#![allow(clippy::print_stdout, reason = "its first lines tell the person at the terminal how to reach it")]

mod app;
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
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    println!("Notes for programs is at {origin}/mcp, for the application's own pages at {origin}/app/mcp.");
    for (name, is_staff) in [("ada", false), ("grace", true)] {
        if let Some(keys) = store.add_user(name, is_staff).await? {
            println!("{name}: send Authorization: Bearer {}", keys.token);
        }
    }
    let end = async {
        // Without a signal to wait for, it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    serve(listener, app::router(&store, &origin)?, ServerLimits::default(), end).await;
    Ok(())
}
