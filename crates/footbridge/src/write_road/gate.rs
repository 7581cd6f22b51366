//! The effect gate: what the operator opened on one connector, and the switch that opens more.

use footbridge_connector::Effect;

use crate::cli::Allow;

/// What the operator opened on one connector. Reading is always open.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    allowed: Vec<Allow>,
    /// The backend's own setting that opens writing, such as `X_READ_ONLY=false`, where it has one and nothing else decides.
    own_switch: Option<String>,
}

impl Gate {
    pub(crate) fn new(allowed: Vec<Allow>) -> Self {
        Self { allowed, own_switch: None }
    }

    /// Writing is opened by a setting of the backend's.
    pub(crate) fn with_switch(self, own_switch: Option<String>) -> Self {
        Self { own_switch, ..self }
    }

    pub(crate) fn is_open(&self, effect: Effect) -> bool {
        match effect {
            Effect::Read => true,
            Effect::Write => self.allowed.contains(&Allow::Write),
            Effect::Destroy => self.allowed.contains(&Allow::Destroy),
        }
    }

    /// The operator said that there is only reading.
    pub(crate) fn only_reads(&self) -> bool {
        self.allowed == [Allow::Read]
    }

    /// What opens an effect beside what is open already: a value of `--allow`, or the backend's own setting.
    pub(crate) fn switch_for(&self, effect: Effect) -> &str {
        match effect {
            Effect::Read | Effect::Write if self.own_switch.is_some() => self.own_switch.as_deref().unwrap_or_default(),
            Effect::Destroy if self.is_open(Effect::Write) => "--allow write,destroy",
            Effect::Write if self.is_open(Effect::Destroy) => "--allow write,destroy",
            Effect::Destroy => "--allow destroy",
            Effect::Read | Effect::Write => "--allow write",
        }
    }
}

#[cfg(test)]
mod tests {
    use footbridge_connector::Effect;

    use super::Gate;
    use crate::cli::Allow;

    #[test]
    fn reading_is_always_open_and_each_other_effect_by_its_own_word() {
        let gate = |allowed: &[Allow]| Gate::new(allowed.to_vec());
        assert!(gate(&[]).is_open(Effect::Read));
        assert!(!gate(&[]).is_open(Effect::Write) && !gate(&[]).is_open(Effect::Destroy));
        assert!(gate(&[Allow::Write]).is_open(Effect::Write) && !gate(&[Allow::Write]).is_open(Effect::Destroy));
        assert!(!gate(&[Allow::Destroy]).is_open(Effect::Write) && gate(&[Allow::Destroy]).is_open(Effect::Destroy));
    }

    #[test]
    fn the_named_switch_opens_what_it_says_and_closes_nothing() {
        assert_eq!(Gate::new(vec![Allow::Write]).switch_for(Effect::Destroy), "--allow write,destroy");
        assert_eq!(Gate::new(vec![]).switch_for(Effect::Destroy), "--allow destroy");
        assert_eq!(Gate::new(vec![]).switch_for(Effect::Write), "--allow write");
        assert_eq!(Gate::new(vec![Allow::Destroy]).switch_for(Effect::Write), "--allow write,destroy");
        let own = Gate::new(vec![]).with_switch(Some("X_READ_ONLY=false".to_owned()));
        assert_eq!((own.switch_for(Effect::Write), own.switch_for(Effect::Destroy)), ("X_READ_ONLY=false", "--allow destroy"));
    }
}
