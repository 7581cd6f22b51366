//! Icons that clients show beside names.

use serde::{Deserialize, Serialize};

/// A picture for people. Source: specification 2025-11-25, Basic, "Icons".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    src: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sizes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<Theme>,
}

/// The background that an icon is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// A light one.
    Light,
    /// A dark one.
    Dark,
}

impl Icon {
    /// An icon at an `https:` address, or in a `data:` one, which tells its media type too. Every
    /// client that shows icons shows PNG and JPEG; some show nothing else.
    #[must_use]
    pub fn new(src: impl Into<String>) -> Self {
        let src = src.into();
        Self {
            mime_type: media_type_of(&src).map(str::to_owned),
            src,
            sizes: Vec::new(),
            theme: None,
        }
    }

    /// Its media type, such as `image/png`.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// A size it serves: `48x48`, or `any` for one that scales.
    #[must_use]
    pub fn size(mut self, size: impl Into<String>) -> Self {
        self.sizes.push(size.into());
        self
    }

    /// The background it is made for.
    #[must_use]
    pub fn theme(mut self, theme: Theme) -> Self {
        self.theme = Some(theme);
        self
    }
}

/// The media type that a `data:` address begins with. Source: RFC 2397.
fn media_type_of(src: &str) -> Option<&str> {
    let (media_type, _) = src.strip_prefix("data:")?.split_once([';', ','])?;
    Some(media_type).filter(|media_type| !media_type.is_empty())
}

#[cfg(test)]
mod tests {
    use super::Icon;

    #[test]
    fn a_picture_in_its_address_says_what_it_is() {
        let listed = |src: &str| serde_json::to_value(Icon::new(src)).expect("an icon is JSON");
        for src in ["data:image/png;base64,eA==", "data:image/png,x"] {
            assert_eq!(listed(src)["mimeType"], "image/png", "{src}");
        }
        for src in ["data:,x", "data:image/png", "https://example.com/a;b,c"] {
            assert_eq!(listed(src).get("mimeType"), None, "{src}");
        }
        let png = Icon::new("data:image/png,x").mime_type("image/apng");
        let png = serde_json::to_value(png).expect("an icon is JSON");
        assert_eq!(png["mimeType"], "image/apng");
    }
}
