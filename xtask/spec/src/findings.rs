//! What the engine finds out for people and programs: the content of its report files.

use serde::{Deserialize, Serialize};

use crate::Repository;

/// What a registry can do, and who we are to it: what the engine's `check` finds out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryReport {
    /// Where something small was pushed to.
    pub repository: Repository,
    /// Its registry: what credentials are kept for.
    pub registry: String,
    /// Of which kind the credentials are that this machine has.
    pub credentials: CredentialKind,
    /// Whose they are, where they tell.
    pub account: Option<String>,
    /// Where they were found, in words.
    pub found_in: Option<String>,
    /// Why nothing can be pushed; none where something can.
    pub problem: Option<String>,
    /// What was tried; nothing where nothing can be pushed.
    pub features: Vec<FeatureReport>,
}

/// The kind of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// There are none.
    None,
    /// A user and a password.
    Password,
    /// A token that is exchanged for others.
    Token,
}

/// One thing that a registry can do or cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureReport {
    /// What was tried.
    pub feature: String,
    /// Why it did not work; none if it did.
    pub refusal: Option<String>,
    /// What to do without it.
    pub advice: String,
}
