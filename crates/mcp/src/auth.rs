//! Authentication for applications that serve MCP over HTTP: bearer tokens with scopes, challenges,
//! where a client finds the authorization server, and cookies with their Origin rule. Tokens and
//! accounts are the application's own.

mod bearer;
mod challenge;
mod cookie;
mod protected_resource;

pub use bearer::{Bearer, Granted, bearer_token, same_secret};
pub use challenge::Challenge;
pub use cookie::{SameOrigin, cookie};
pub use protected_resource::{BadResource, ProtectedResource, ProtectedResourceService};
