//! The problems of an endpoint that cannot be built, named all at once. They are found where each
//! thing is checked.

use std::fmt;

/// One thing that is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildProblem {
    /// The name of the tool, prompt, method or endpoint, or the address of the resource.
    pub name: String,
    /// What is wrong, in one sentence.
    pub problem: String,
}

/// All problems of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildProblems(pub Vec<BuildProblem>);

impl BuildProblem {
    pub(crate) fn new(name: &str, problem: String) -> Self {
        Self {
            name: name.to_owned(),
            problem,
        }
    }
}

impl BuildProblems {
    /// Several problems of one thing.
    pub(crate) fn of(name: &str, problems: Vec<String>) -> Self {
        Self(
            problems
                .into_iter()
                .map(|problem| BuildProblem::new(name, problem))
                .collect(),
        )
    }
}

impl fmt::Display for BuildProblems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, BuildProblem { name, problem }) in self.0.iter().enumerate() {
            let break_before = if index == 0 { "" } else { "\n" };
            write!(formatter, "{break_before}{name:?}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildProblems {}
