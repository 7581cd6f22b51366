//! Groups of tools: which are listed, as flag, environment, settings file and connector file say. A
//! tool of a group that is not listed can still be called by its name.

use crate::exit::Trouble;

/// The word for every group.
const ALL: &str = "all";

/// A change to what is listed: a group by its name, or with `-` before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Switch {
    group: String,
    is_on: bool,
}

impl Switch {
    fn read(text: &str) -> Self {
        match text.strip_prefix('-') {
            Some(group) => Self {
                group: group.to_owned(),
                is_on: false,
            },
            None => Self {
                group: text.to_owned(),
                is_on: true,
            },
        }
    }

    fn names(&self, group: &str) -> bool {
        self.group == ALL || self.group == group
    }
}

pub(crate) fn switches(texts: &[String]) -> Vec<Switch> {
    texts.iter().map(|text| Switch::read(text.trim())).collect()
}

/// The groups of a connector with whether each is listed, after the switches in their order.
pub(crate) fn switched(groups: &[(String, bool)], switches: &[Switch]) -> Vec<(String, bool)> {
    let listed = |group: &str, by_file: bool| {
        switches
            .iter()
            .filter(|switch| switch.names(group))
            .fold(by_file, |_, switch| switch.is_on)
    };
    groups
        .iter()
        .map(|(group, by_file)| (group.clone(), listed(group, *by_file)))
        .collect()
}

/// A switch that names no group was meant to do something.
pub(crate) fn check<'g>(
    switches: &[Switch],
    groups: impl Iterator<Item = &'g str>,
) -> Result<(), Trouble> {
    let mut known: Vec<&str> = groups.collect();
    known.sort_unstable();
    known.dedup();
    for switch in switches {
        if switch.group != ALL && !known.contains(&switch.group.as_str()) {
            let known = if known.is_empty() {
                "there are none".to_owned()
            } else {
                format!("there are: {}, {ALL}", known.join(", "))
            };
            return Err(Trouble::usage(format!(
                "there is no group of tools {:?}; {known}",
                switch.group
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check, switched, switches};

    fn listed(texts: &[&str]) -> Vec<bool> {
        let groups = [
            ("core".to_owned(), true),
            ("epics".to_owned(), false),
            ("issues".to_owned(), true),
        ];
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        switched(&groups, &switches(&texts))
            .into_iter()
            .map(|(_, listed)| listed)
            .collect()
    }

    #[test]
    fn the_last_switch_of_a_group_counts() {
        assert_eq!(listed(&[]), [true, false, true]);
        assert_eq!(listed(&["epics"]), [true, true, true]);
        assert_eq!(listed(&["-issues", " epics"]), [true, true, false]);
        assert_eq!(listed(&["-all", "core"]), [true, false, false]);
        assert_eq!(listed(&["core", "-all"]), [false, false, false]);
        assert_eq!(listed(&["all"]), [true, true, true]);
    }

    #[test]
    fn an_unknown_group_is_named_with_those_there_are() {
        let check = |text: &str, groups: &[&str]| {
            check(&switches(&[text.to_owned()]), groups.iter().copied())
        };
        assert!(check("-core", &["core", "epics"]).is_ok() && check("all", &[]).is_ok());
        let error = check("epic", &["epics", "core", "epics"])
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "there is no group of tools \"epic\"; there are: core, epics, all"
        );
        assert!(
            check("x", &[])
                .unwrap_err()
                .to_string()
                .contains("there are none")
        );
    }
}
