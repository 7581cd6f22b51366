//! The built-in board: the Production Board REST API over the store.
//!
//! What boards and cards are comes from outside, as [`BoardModel`]s; this crate holds no table of its
//! own, reads no file and knows no MCP. The API is reached over HTTP through [`Board::router`], or in
//! process, with the same requests and without a socket, through [`Board::service_for`].
//!
//! ```
//! use footbridge_board::{Board, BoardField, BoardFieldKind, BoardModel, Models, RowOperation};
//! use footbridge_store::{AccountId, Store};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = BoardField::new("text", BoardFieldKind::text(None));
//! let models = Models::new(vec![BoardModel::new("note", &[RowOperation::List], vec![text])])?;
//! let directory = tempfile::tempdir()?;
//! let board = Board::new(Store::open(directory.path()).await?, models);
//! let request = http::Request::get("/xapi2/data/note").body(axum::body::Body::empty())?;
//! let response = board.service_for(AccountId::local()).oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```

// The modules in layers, from the top down: a module uses its own layer and those below.

// The entrances.
mod board;
// The table of routes.
mod routes;
// Who is asking, and what every route works with.
mod caller;
mod route_state;
// What requests hold and what answers show.
mod body;
mod fields;
mod list_request;
mod openapi;
mod row;
mod value;
// What a host makes of each row that is written, and whether it may be.
mod row_brakes;
mod row_journal;
// Ground: the models, and the shape of errors.
mod api_error;
mod models;

pub use board::{Board, BoardService};
pub use caller::ClientAddress;
pub use models::{BoardField, BoardFieldKind, BoardModel, Models, ModelsError, RowOperation};
pub use openapi::openapi;
pub use row_brakes::{RowBrakes, RowHeld, RowPassing, RowWanted};
pub use row_journal::{RowJournal, RowWrite};
