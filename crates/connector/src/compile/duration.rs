//! Times as a file writes them: `30s`, `500ms`, `2m`.

use std::time::Duration;

use super::compilation::Compilation;
use crate::place::Placed;

impl<'d> Compilation<'d> {
    /// The time, or `default` when nothing is written; anything but zero to `most` is a problem.
    pub(super) fn duration(
        &mut self,
        text: Option<&Placed<String>>,
        default: Duration,
        most: Duration,
        part: &str,
    ) -> Duration {
        let Some(text) = text else { return default };
        let number = text
            .value
            .trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = text.value.strip_prefix(number).unwrap_or_default();
        let time = number.parse::<u32>().ok().and_then(|number| match unit {
            "ms" => Some(Duration::from_millis(number.into())),
            "s" => Some(Duration::from_secs(number.into())),
            "m" => Some(Duration::from_secs(u64::from(number) * 60)),
            _ => None,
        });
        match time {
            Some(time) if !time.is_zero() && time <= most => time,
            _ => {
                let most = if most.as_secs() >= 60 {
                    format!("{}m", most.as_secs() / 60)
                } else {
                    format!("{}s", most.as_secs())
                };
                let hint = format!("write it like `30s`, `500ms` or `2m`, at most {most}");
                self.found.add_with_hint(
                    text.place,
                    part,
                    format!("`{}` is not a time that can stand here", text.value),
                    hint,
                );
                default
            }
        }
    }
}
