//! Filters and templates of a file while it is being compiled: collected with their places,
//! compiled together.

use std::sync::LazyLock;

use super::compile_and_look;
use super::scope::FilterScope;
use crate::connector::FilterOrigins;
use crate::jq::{self, Evaluation, FilterId, FilterOrigin, Glue, Program};
use crate::place::{self, Place, Placed};
use crate::problem::Found;
use crate::template::Template;

/// The text that a definition was made of, and what is known of it.
#[derive(Clone, Copy)]
pub(super) enum FileText<'d> {
    /// Faults of its filters are problems of the file, told now.
    Unchecked(&'d str),
    /// It has no fault: filters wait for the first that runs. The definition has no places.
    Sound(&'static str),
}

impl<'d> FileText<'d> {
    fn text(self) -> &'d str {
        match self {
            Self::Unchecked(text) | Self::Sound(text) => text,
        }
    }
}

/// The filters so far, with what they belong to.
pub(crate) struct Filters<'d> {
    text: FileText<'d>,
    shared: Option<&'d Placed<String>>,
    list: Vec<(&'d Placed<String>, String)>,
    /// How many there are, with those that need no jq.
    count: usize,
    /// Where each of them stands; not known of a sound file.
    origins: Vec<FilterOrigin>,
}

impl<'d> Filters<'d> {
    /// `shared` are the definitions that all filters may use.
    pub(super) fn new(text: FileText<'d>, shared: Option<&'d Placed<String>>) -> Self {
        Self {
            text,
            shared,
            list: Vec::new(),
            count: 0,
            origins: Vec::new(),
        }
    }

    /// The definitions that all filters may use.
    pub(super) fn shared(&self) -> &'d str {
        self.shared.map_or("", |shared| &shared.value)
    }

    /// A filter that stands in `scope`.
    pub(super) fn add(
        &mut self,
        filter: &'d Placed<String>,
        part: &str,
        scope: &FilterScope<'_>,
        found: &mut Found,
    ) -> Glue {
        let origin = self.count;
        self.count += 1;
        let id = FilterId(self.list.len());
        let FileText::Unchecked(_) = self.text else {
            self.list.push((filter, String::new()));
            return Glue::unread(&filter.value, id, origin);
        };
        let term = jq::term(&filter.value);
        let plain = term.as_ref().and_then(Evaluation::plain_in);
        let uses = term.map(jq::uses_in).unwrap_or_default();
        scope.check(filter, &uses, part, self, found);
        self.origins.push(FilterOrigin {
            part: part.to_owned(),
            line: filter.place.line,
            code: filter.value.clone(),
        });
        let evaluation = plain.unwrap_or_else(|| {
            self.list.push((filter, part.to_owned()));
            Evaluation::Filter(id)
        });
        Glue::known(evaluation, Some(origin))
    }

    /// Every filter that needs jq, with what it belongs to; not of a sound file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'d Placed<String>, &str)> {
        self.list
            .iter()
            .map(|(filter, part)| (*filter, part.as_str()))
    }

    /// The place of a byte of a scalar.
    pub(crate) fn place(&self, text: &Placed<String>, byte: usize) -> Place {
        place::inside(self.text.text(), text.place, &text.value, byte)
    }

    /// Reads a template; a fault is reported where it stands.
    pub(super) fn template(
        &self,
        text: &Placed<String>,
        part: &str,
        found: &mut Found,
    ) -> Option<Template> {
        match Template::parse(&text.value) {
            Ok(template) => Some(template),
            Err(fault) => {
                found.add(self.place(text, fault.byte), part, fault.what);
                None
            }
        }
    }

    /// Reads the template of a path under `base`.
    pub(super) fn path(
        &self,
        path: &Placed<String>,
        part: &str,
        scope: &FilterScope<'_>,
        found: &mut Found,
    ) -> Option<Template> {
        let template = self.template(path, part, found)?;
        if !template.head().starts_with('/') || template.head().starts_with("//") {
            found.add_with_hint(
                path.place,
                part,
                format!("`{}` is not a path", path.value),
                "it goes under `base` and starts with one `/`",
            );
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%:@!$&'()*+,;=".contains(&b);
        let dots = path
            .value
            .split('/')
            .any(|segment| matches!(segment, "." | ".."));
        if dots || !template.literals().all(|text| text.bytes().all(plain)) {
            let hint = "no `?`, `#`, `.` or `..`; parameters go into `query`";
            found.add_with_hint(
                path.place,
                part,
                format!("`{}` is not a plain path", path.value),
                hint,
            );
        }
        for name in template.names() {
            if let Some(problem) = scope.check_name(name) {
                let byte = path.value.find(&format!("{{{name}}}")).unwrap_or_default();
                found.add(self.place(path, byte), part, problem);
            }
        }
        Some(template)
    }

    /// Where each filter stands, by its place among all; of a sound file it is looked for when
    /// somebody asks.
    pub(super) fn take_origins(&mut self) -> FilterOrigins {
        let FileText::Sound(yaml) = self.text else {
            let origins = std::mem::take(&mut self.origins);
            return LazyLock::new(Box::new(|| origins));
        };
        LazyLock::new(Box::new(|| {
            let mut origins = Vec::new();
            compile_and_look(yaml, &mut Found::default(), &mut |_, _, filters| {
                origins.clone_from(&filters.origins);
            });
            origins
        }))
    }

    /// The program of all of them; faults are reported where they stand, unless there are known to
    /// be none. One that cannot be read does not hide the names in the others.
    pub(super) fn program(&self, found: &mut Found) -> Option<Program> {
        let mut codes: Vec<&str> = self
            .list
            .iter()
            .map(|(code, _)| code.value.as_str())
            .collect();
        if let FileText::Sound(_) = self.text {
            return Some(Program::of_sound_filters(self.shared(), &codes));
        }
        let faults = match jq::compile(self.shared(), &codes) {
            Ok(program) => return Some(program),
            Err(faults) => faults,
        };
        self.report(&faults, found);
        if faults.iter().all(|fault| fault.filter != jq::SHARED) {
            for fault in &faults {
                if let Some(code) = codes.get_mut(fault.filter) {
                    *code = ".";
                }
            }
            if let Err(more) = jq::compile(self.shared(), &codes) {
                self.report(&more, found);
            }
        }
        None
    }

    fn report(&self, faults: &[jq::FilterFault], found: &mut Found) {
        for fault in faults {
            let owner = match (fault.filter, self.shared) {
                (jq::SHARED, Some(shared)) => Some((shared, "defs")),
                (index, _) => self
                    .list
                    .get(index)
                    .map(|(code, part)| (*code, part.as_str())),
            };
            match owner {
                Some((code, part)) => found.add(
                    self.place(code, fault.bytes.start),
                    part,
                    fault.what.clone(),
                ),
                None => found.add(Place { line: 1, column: 1 }, "", fault.what.clone()),
            }
        }
    }
}
