//! What is to be published, and what somebody says yes to.

use anyhow::Result;
use image_spec::Reference;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::build::request::{Profile, Task};
use crate::build::{Choices, Request};

/// What is to be published. What is empty is as config/pipeline.toml has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// For which databases.
    pub backends: Vec<String>,
    /// For which platforms.
    pub platforms: Vec<String>,
    /// In which profile.
    pub profile: Option<Profile>,
    /// A tag beside those that the version gives.
    pub tag: Option<String>,
    /// Whether the image is only looked at in the end, and not built again to compare.
    pub no_rebuild: bool,
}

/// What somebody has seen, and says yes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The commit.
    pub revision: Option<String>,
    /// Whether there are changes that the commit has not.
    pub dirty: bool,
    /// Every name that is going to be pushed, in any order.
    pub tags: Vec<String>,
}

impl Selection {
    /// Checks every value.
    ///
    /// # Errors
    /// As [`Request::check`].
    pub fn check(&self, choices: &Choices) -> Result<()> {
        self.push(true).check(choices)
    }

    /// Pushes it, or finds out what a push would upload.
    pub fn push(&self, dry_run: bool) -> Request {
        let Selection { backends, platforms, profile, tag, .. } = self.clone();
        Request { task: Task::Bdp, backends, platforms, profile, tag, dry_run, ..Request::default() }
    }

    /// Looks at an image that was pushed for `backend`.
    pub fn verify(&self, image: Reference, backend: &str) -> Request {
        Request {
            task: Task::Verify,
            backends: vec![backend.to_owned()],
            platforms: self.platforms.clone(),
            profile: self.profile,
            image: Some(image),
            no_rebuild: self.no_rebuild,
            ..Request::default()
        }
    }
}

/// As the history keeps it.
impl TryFrom<String> for Selection {
    type Error = serde_json::Error;

    fn try_from(text: String) -> std::result::Result<Selection, serde_json::Error> {
        serde_json::from_str(&text)
    }
}

impl Confirmation {
    /// Whether it is for the same.
    pub fn is_for(&self, other: &Confirmation) -> bool {
        let sorted = |tags: &[String]| {
            let mut tags = tags.to_vec();
            tags.sort();
            tags
        };
        let is_same_source = self.revision == other.revision && self.dirty == other.dirty;
        is_same_source && sorted(&self.tags) == sorted(&other.tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_becomes_the_push_and_what_looks_at_it() {
        let selection = Selection {
            backends: vec!["one".to_owned(), "two".to_owned()],
            profile: Some(Profile::Dist),
            tag: Some("next".to_owned()),
            ..Selection::default()
        };
        let push = "cargo xtask bdp --backend=one,two --profile=dist --tag=next";
        assert_eq!(selection.push(false).command(), push);
        assert_eq!(selection.push(true).command(), format!("{push} --dry-run"));
        let image: Reference = format!("ghcr.io/team/app@sha256:{}", "a".repeat(64)).parse().unwrap();
        let verify = format!("cargo xtask verify --backend=two --profile=dist {image}");
        assert_eq!(selection.verify(image, "two").command(), verify);
    }

    #[test]
    fn a_confirmation_is_for_one_commit_and_all_names() {
        let seen = |revision: &str, dirty, tags: &[&str]| Confirmation {
            revision: Some(revision.to_owned()),
            dirty,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        let shown = seen("abc", false, &["a:1", "a:latest"]);
        assert!(seen("abc", false, &["a:latest", "a:1"]).is_for(&shown));
        for other in [
            seen("abd", false, &["a:1", "a:latest"]),
            seen("abc", true, &["a:1", "a:latest"]),
            seen("abc", false, &["a:1"]),
        ] {
            assert!(!other.is_for(&shown), "{other:?}");
        }
    }
}
