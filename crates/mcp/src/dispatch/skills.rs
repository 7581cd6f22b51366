//! Requests about skills: their list, the entry of one, and what lies in their folders.

use std::sync::Arc;

use super::Dispatched;
use super::request::{RequestDispatch, cursor_of};
use crate::call::RequestContext;
use crate::endpoint::List;
use crate::protocol_error::{ProtocolError, excerpt};
use crate::request_meta::Params;
use crate::revision::Revision;

impl<C: Send + Sync + 'static> RequestDispatch<'_, C> {
    /// A request about skills. Where the request may see none, there are no such methods; whether
    /// the client said that it knows them does not matter once it asks.
    pub(super) fn about_skills(
        &self,
        params: &Params<'_>,
        revision: Option<Revision>,
        context: Arc<RequestContext>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        let seen = self.catalog.things_for(self.arrival.caller, || context);
        let reads_folder = self.method == "resources/directory/read";
        if !seen.has_skills() || reads_folder && !seen.has_skill_folders() {
            return Err(ProtocolError::unknown_method(&self.method));
        }
        let identity = &self.catalog.identity;
        let cursor = cursor_of(params)?;
        if self.method == "skills/list" {
            let list = seen.list(List::Skills, cursor.as_deref(), revision);
            return Ok(self.ready(list.map_err(|unlisted| self.unlisted(unlisted))?));
        }
        let uri = Params::text(params.uri, "uri")?;
        if reads_folder {
            let page = seen.skill_folder(&uri, cursor.as_deref());
            let page = page.ok_or_else(|| not_found(&uri, "is no directory of skills"))?;
            let mut open = page.map_err(|unlisted| self.unlisted(unlisted))?;
            // Source: extension Skills, `ReadResourceDirectoryResult` is no cacheable result.
            open.push_str(identity.tail(revision).unwrap_or("}"));
            return Ok(self.ready(open.into()));
        }
        let open = seen
            .skill(&uri)
            .ok_or_else(|| not_found(&uri, "is the address of no skill that is served here"))?;
        Ok(self.ready(identity.list(open, revision)))
    }
}

fn not_found(uri: &str, what: &str) -> ProtocolError {
    ProtocolError::invalid_params(format!("{} {what}", excerpt(uri)))
}
