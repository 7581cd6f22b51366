//! Skills: folders of instructions for language models, which clients list, read and hold to a
//! manifest (extension `io.modelcontextprotocol/skills`). Everything is read once, so one build
//! has one digest.

mod folder;
mod front_matter;
mod manifest;
mod media_type;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::build_problem::BuildProblem;
use crate::call::Call;
pub(crate) use manifest::CheckedSkill;

/// The rule whether the caller of a request may see a skill, by its path.
type SkillRule<C> = Arc<dyn Fn(&Call<C>, &str) -> bool + Send + Sync>;

/// The file that makes a folder a skill.
const MANIFEST: &str = "SKILL.md";

/// Skills of an endpoint whose callers are `C`, for [`crate::EndpointBuilder::skills`].
///
/// A skill is a folder with a `SKILL.md`: front matter in YAML with at least `name`, which is the
/// folder's, and `description`, then instructions. Further files may lie beside it and in folders
/// of it, further skills too. Its address is `skill://NAME/SKILL.md`.
///
/// ```
/// use footbridge_mcp::{Call, Skills};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// struct Caller { is_staff: bool }
///
/// let text = "---\nname: refunds\ndescription: Refund an order by the rules.\n---\nRead `rules.md`.\n";
/// let skills = Skills::embedded([("refunds/SKILL.md", text), ("refunds/rules.md", "At most 100 EUR.")])
///     .under("shop")
///     .allowed_for(|call: &Call<Caller>, path| path != "shop/refunds" || call.caller.is_staff);
/// let endpoint = footbridge_mcp::endpoint!("shop").skills(skills).build()?;
/// let staff = endpoint.test(Caller { is_staff: true });
/// let skills = staff.request("skills/list", serde_json::json!({})).await?.result()["skills"].clone();
/// assert_eq!(skills[0]["uri"], "skill://shop/refunds/SKILL.md");
/// assert_eq!(skills[0]["resources"][0]["size"], text.len());
/// let other = endpoint.test(Caller { is_staff: false });
/// assert!(other.request("skills/list", serde_json::json!({})).await.is_err(), "they see none");
/// # Ok(())
/// # }
/// ```
pub struct Skills<C> {
    files: Vec<SkillFile>,
    problems: Vec<BuildProblem>,
    /// The path that stands before each of theirs.
    place: String,
    rule: Option<SkillRule<C>>,
    is_announced_to_everybody: bool,
}

/// A file of a skill, by its path from the folder that holds the skills.
struct SkillFile {
    path: String,
    bytes: Bytes,
}

impl<C> Skills<C> {
    /// The skills in the folders of a folder, read here and now. What lies in no skill is not read,
    /// and neither is anything whose name begins with a dot. Links are not followed. What is wrong
    /// is said by [`crate::EndpointBuilder::build`].
    #[must_use]
    pub fn in_folder(folder: impl AsRef<Path>) -> Self {
        let (files, problems) = folder::read(folder.as_ref());
        Self::of(files, problems)
    }

    /// Skills that are part of the program: each file by its path, such as `refunds/SKILL.md`, and
    /// its bytes, such as those of `include_str!`.
    #[must_use]
    pub fn embedded<P, B>(files: impl IntoIterator<Item = (P, B)>) -> Self
    where
        P: Into<String>,
        B: Into<EmbeddedFile>,
    {
        let files = files.into_iter().map(|(path, content)| SkillFile {
            path: path.into(),
            bytes: content.into().0,
        });
        Self::of(files.collect(), Vec::new())
    }

    fn of(files: Vec<SkillFile>, problems: Vec<BuildProblem>) -> Self {
        Self {
            files,
            problems,
            place: String::new(),
            rule: None,
            is_announced_to_everybody: false,
        }
    }

    /// Puts a path before theirs: `under("shop/billing")` makes `skill://shop/billing/NAME/SKILL.md`.
    #[must_use]
    pub fn under(mut self, path: impl Into<String>) -> Self {
        self.place = path.into();
        self
    }

    /// Who may see which of them, by its path, such as `shop/refunds`. To everybody else it does
    /// not exist, its files included. Rules said one after another must all allow it.
    #[must_use]
    pub fn allowed_for(
        mut self,
        rule: impl Fn(&Call<C>, &str) -> bool + Send + Sync + 'static,
    ) -> Self
    where
        C: 'static,
    {
        self.rule = Some(match self.rule.take() {
            None => Arc::new(rule),
            Some(before) => Arc::new(move |call, path| before(call, path) && rule(call, path)),
        });
        self
    }

    /// Tells clients of them that do not say that they know the extension, too. Else those see
    /// neither the extension nor a list that is another than without skills; an address that they
    /// know from elsewhere, such as from [`crate::EndpointBuilder::instructions`], they can read.
    #[must_use]
    pub fn announced_to_everybody(mut self) -> Self {
        self.is_announced_to_everybody = true;
        self
    }
}

/// The content of a file that is part of the program; made of texts and bytes with `into`.
#[derive(Debug)]
pub struct EmbeddedFile(Bytes);

impl From<&'static str> for EmbeddedFile {
    fn from(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }
}

impl From<&'static [u8]> for EmbeddedFile {
    fn from(bytes: &'static [u8]) -> Self {
        Self(Bytes::from_static(bytes))
    }
}

impl<const N: usize> From<&'static [u8; N]> for EmbeddedFile {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self(Bytes::from_static(bytes))
    }
}

impl From<String> for EmbeddedFile {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Vec<u8>> for EmbeddedFile {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<Cow<'static, [u8]>> for EmbeddedFile {
    fn from(bytes: Cow<'static, [u8]>) -> Self {
        match bytes {
            Cow::Borrowed(bytes) => bytes.into(),
            Cow::Owned(bytes) => bytes.into(),
        }
    }
}

impl<C> std::fmt::Debug for Skills<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Skills")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}
