//! Where a backend may serve its OpenAPI document.

use super::compilation::Compilation;
use super::scope::FilterScope;
use crate::place::Placed;

/// Places that a file may name.
const MAX_PLACES: usize = 10;
/// Where documents usually are, for a file that names no place.
const USUAL: [&str; 6] = [
    "/openapi.json",
    "/api/openapi.json",
    "/swagger.json",
    "/v3/api-docs",
    "/schema/",
    "/openapi.yaml",
];

impl<'d> Compilation<'d> {
    pub(super) fn document_paths(&mut self) -> Vec<String> {
        let written = &self.definition.upstream.openapi;
        let part = "upstream.openapi";
        if let Some(one) = written.get(MAX_PLACES) {
            self.found.add(
                one.place,
                part,
                format!("names {} places; at most {MAX_PLACES}", written.len()),
            );
        }
        for path in written {
            // beside the base, such as `../schema/`
            let rest = path.value.trim_start_matches("../");
            let under = match rest.len() == path.value.len() {
                true => path.clone(),
                false => Placed {
                    value: format!("/{rest}"),
                    place: path.place,
                },
            };
            let template = self.path(&under, part, &FilterScope::new(self.definition, &[]));
            if template.is_some_and(|template| template.names().next().is_some()) {
                self.found.add(
                    path.place,
                    part,
                    format!(
                        "`{}` must be written out: nothing is filled in here",
                        path.value
                    ),
                );
            }
        }
        match written.as_slice() {
            [] => USUAL.map(str::to_owned).to_vec(),
            written => written.iter().map(|path| path.value.clone()).collect(),
        }
    }
}
