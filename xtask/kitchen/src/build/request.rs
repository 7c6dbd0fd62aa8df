//! What somebody asks for. Every value is one of those that are offered or checked by its type, and becomes words of a
//! command, never a line of shell.

use std::str::FromStr;

use anyhow::{Result, ensure};
use image_spec::{Platform, Reference, Tag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::plan::quote;

/// What can be done with the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Build the image, for this machine.
    #[default]
    Bd,
    /// Build it for every platform, and push it.
    Bdp,
    /// Build only the binary.
    Build,
    /// Run the whole gate.
    Check,
    /// Find out what the registry can do, and whether it lets us push.
    Registry,
    /// Propose the next version. Nothing is changed.
    Release,
    /// Look at an image in the registry.
    Verify,
}

/// What makes the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The pipeline's own.
    Native,
    /// Docker's BuildKit.
    Buildkit,
}

/// Cargo's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// For every day.
    Release,
    /// For what is shipped.
    Dist,
    // template: if pipeline_tests
    /// For what is shipped, compiled by what it does under load.
    Pgo,
    // template: end
}

/// A build that somebody wants. What is empty is as config/pipeline.toml has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What is done.
    pub task: Task,
    /// For which databases.
    pub backends: Vec<String>,
    /// For which platforms.
    pub platforms: Vec<String>,
    /// By which engine.
    pub engine: Option<Engine>,
    /// In which profile.
    pub profile: Option<Profile>,
    /// A further tag.
    pub tag: Option<String>,
    /// The image that is looked at.
    #[schema(value_type = Option<String>)]
    pub image: Option<Reference>,
    /// Whether it is only looked at, and not built again to compare.
    pub no_rebuild: bool,
    /// Whether only the plan is shown; of a push, also the bytes that it would upload.
    pub dry_run: bool,
}

/// What this project can be built for: `cargo xtask ci matrix` says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Choices {
    /// Databases, the default first.
    pub backends: Vec<String>,
    /// Platforms.
    pub platforms: Vec<String>,
}

impl Request {
    /// Checks every value.
    ///
    /// # Errors
    /// Names the first that is not one of the choices, or no tag.
    pub fn check(&self, choices: &Choices) -> Result<()> {
        one_of("backend", &self.backends, &choices.backends)?;
        one_of("platform", &self.platforms, &choices.platforms)?;
        for platform in &self.platforms {
            Platform::from_str(platform).map_err(|error| anyhow::anyhow!("{error}"))?;
        }
        if let Some(tag) = &self.tag {
            Tag::from_str(tag).map_err(|error| anyhow::anyhow!("{error}"))?;
        }
        let has_image = matches!(self.task, Task::Bd | Task::Bdp);
        ensure!(has_image || self.engine.is_none(), "only an image has an engine");
        ensure!(has_image || self.tag.is_none(), "only an image has tags");
        let is_looked_at = self.task == Task::Verify;
        ensure!(is_looked_at || self.image.is_none(), "only an image that is there has a name already");
        ensure!(is_looked_at || !self.no_rebuild, "only what is looked at is built again");
        if matches!(self.task, Task::Registry | Task::Release) {
            let is_plain = self.backends.is_empty() && self.platforms.is_empty() && self.profile.is_none();
            ensure!(is_plain, "it is for all that is built");
        }
        let is_gate = self.task == Task::Check;
        ensure!(!is_gate || self.platforms.is_empty(), "the gate is for this machine");
        ensure!(!is_gate || self.profile.is_none(), "the gate has no profile");
        Ok(())
    }

    /// For which databases it is, also where none was asked for.
    pub fn databases<'a>(&'a self, choices: &'a Choices) -> &'a [String] {
        match (self.backends.is_empty(), self.task) {
            (false, _) => &self.backends,
            (true, Task::Check) => &choices.backends,
            (true, Task::Registry | Task::Release) => &[],
            (true, _) => choices.backends.get(..1).unwrap_or_default(),
        }
    }

    /// The words after `cargo`.
    pub fn argv(&self) -> Vec<String> {
        let task: &[&str] = match self.task {
            Task::Bd => &["bd"],
            Task::Bdp => &["bdp"],
            Task::Build => &["build"],
            Task::Check => &["check"],
            Task::Registry => &["registry", "check"],
            Task::Release => &["release"],
            Task::Verify => &["verify"],
        };
        let words = ["xtask"].iter().chain(task);
        let mut argv = words.map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut flag = |name: &str, value: String| argv.extend([format!("--{name}={value}")]);
        if !self.backends.is_empty() {
            flag("backend", self.backends.join(","));
        }
        if !self.platforms.is_empty() {
            flag("platform", self.platforms.join(","));
        }
        match self.engine {
            Some(Engine::Native) => flag("engine", "native".to_owned()),
            Some(Engine::Buildkit) => flag("engine", "buildkit".to_owned()),
            None => {}
        }
        match self.profile {
            Some(Profile::Release) => flag("profile", "release".to_owned()),
            Some(Profile::Dist) => flag("profile", "dist".to_owned()),
            Some(Profile::Pgo) => flag("profile", "pgo".to_owned()), // template: if pipeline_tests
            None => {}
        }
        if let Some(tag) = &self.tag {
            flag("tag", tag.clone());
        }
        let switches = [("--no-rebuild", self.no_rebuild), ("--dry-run", self.dry_run)];
        argv.extend(switches.iter().filter(|(_, is_on)| *is_on).map(|(flag, _)| (*flag).to_owned()));
        // The name of an image begins with a letter, a digit or a bracket.
        argv.extend(self.image.as_ref().map(ToString::to_string));
        argv
    }

    /// What a person would type.
    pub fn command(&self) -> String {
        let words = self.argv();
        format!("cargo {}", words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "))
    }
}

fn one_of(what: &str, given: &[String], offered: &[String]) -> Result<()> {
    for value in given {
        ensure!(offered.contains(value), "there is no {what} `{value}`; there is {}", offered.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices() -> Choices {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Choices { backends: owned(&["one", "two"]), platforms: owned(&["linux/amd64", "linux/arm64"]) }
    }

    #[test]
    fn values_become_words_and_none_of_them_a_flag_of_its_own() {
        let request = Request {
            task: Task::Bdp,
            backends: vec!["one".to_owned(), "two".to_owned()],
            platforms: vec!["linux/arm64".to_owned()],
            engine: Some(Engine::Buildkit),
            profile: Some(Profile::Dist),
            tag: Some("next".to_owned()),
            dry_run: true,
            ..Request::default()
        };
        request.check(&choices()).unwrap();
        assert_eq!(
            request.command(),
            "cargo xtask bdp --backend=one,two --platform=linux/arm64 --engine=buildkit --profile=dist --tag=next --dry-run"
        );
    }

    #[test]
    fn without_a_choice_it_is_for_the_default_and_the_gate_for_all() {
        let databases = |task, backends: &[String]| {
            Request { task, backends: backends.to_vec(), ..Request::default() }.databases(&choices()).to_vec()
        };
        assert_eq!(databases(Task::Bd, &[]), ["one"]);
        assert_eq!(databases(Task::Check, &[]), ["one", "two"]);
        assert_eq!(databases(Task::Bd, &["two".to_owned()]), ["two"]);
    }

    #[test]
    fn what_was_not_offered_is_refused() {
        let refused = |request: Request| request.check(&choices()).unwrap_err().to_string();
        let with_tag = |tag: &str| Request { tag: Some(tag.to_owned()), ..Request::default() };
        for tag in ["--push", "-x", "a b", "a;b", "$(id)", "a\0", "", "ä", "../a"] {
            assert!(refused(with_tag(tag)).contains("tag"), "{tag:?}");
        }
        let backends = Request { backends: vec!["--help".to_owned()], ..Request::default() };
        assert_eq!(refused(backends), "there is no backend `--help`; there is one, two");
        let gate = Request { task: Task::Check, tag: Some("next".to_owned()), ..Request::default() };
        assert_eq!(refused(gate), "only an image has tags");
        let image = Some("ghcr.io/team/app:1".parse().unwrap());
        let named = Request { image, ..Request::default() };
        assert_eq!(refused(named), "only an image that is there has a name already");
        let release = Request { task: Task::Release, backends: vec!["one".to_owned()], ..Request::default() };
        assert_eq!(refused(release), "it is for all that is built");
        for name in ["--execute", "-x", "a b:1", "ghcr.io/team/app:$(id)"] {
            let json = serde_json::json!({ "task": "verify", "image": name });
            assert!(serde_json::from_value::<Request>(json).is_err(), "{name}");
        }
    }
}
