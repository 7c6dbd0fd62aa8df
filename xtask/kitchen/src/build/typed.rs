//! What somebody typed in a terminal, as a request for the same.

use anyhow::{Context as _, Result, bail, ensure};

use super::request::{Choices, Engine, Profile, Request, Task};

impl Request {
    /// Reads the words after `cargo xtask`.
    ///
    /// # Errors
    /// Names what no request says.
    pub fn from_words(words: &[String], choices: &Choices) -> Result<Request> {
        let mut request = Request::default();
        let mut task = None;
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if !word.starts_with('-') && task.is_none() {
                task = Some(task_of(word)?);
                continue;
            }
            let (name, value) =
                word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            // How a run is shown is not what it does.
            match (name, value) {
                ("-q" | "--quiet", None) => continue,
                ("--timings", _) => continue,
                ("--dry-run", None) => {
                    request.dry_run = true;
                    continue;
                }
                _ => {}
            }
            let is_known = ["--backend", "--platform", "--engine", "--profile", "--tag", "--message-format"]
                .contains(&name);
            ensure!(is_known, "`{name}` is nothing that can be asked for here");
            let value = value.or_else(|| words.next()).with_context(|| format!("`{name}` has no value"))?;
            request.set(name, value, choices)?;
        }
        request.task = task.context("there is no task")?;
        request.check(choices)?;
        Ok(request)
    }

    fn set(&mut self, name: &str, value: &str, choices: &Choices) -> Result<()> {
        let list = || value.split(',').map(str::to_owned);
        match (name, value) {
            ("--backend", "all") => self.backends.clone_from(&choices.backends),
            ("--backend", _) => self.backends.extend(list()),
            ("--platform", _) => self.platforms.extend(list()),
            ("--engine", "native") => self.engine = Some(Engine::Native),
            ("--engine", "buildkit") => self.engine = Some(Engine::Buildkit),
            ("--profile", "release") => self.profile = Some(Profile::Release),
            ("--profile", "dist") => self.profile = Some(Profile::Dist),
            ("--profile", "pgo") => self.profile = Some(Profile::Pgo), // template: if pipeline_tests
            ("--tag", _) => {
                ensure!(self.tag.is_none(), "only one tag can be asked for here");
                self.tag = Some(value.to_owned());
            }
            ("--message-format", _) => {}
            _ => bail!("`{name}={value}` is nothing that can be asked for here"),
        }
        Ok(())
    }
}

fn task_of(word: &str) -> Result<Task> {
    Ok(match word {
        "bd" => Task::Bd,
        "bdp" => Task::Bdp,
        "build" => Task::Build,
        "check" => Task::Check,
        other => bail!("`{other}` is nothing that can be asked for here"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Request> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let choices = Choices { backends: owned(&["one", "two"]), platforms: owned(&["linux/amd64"]) };
        Request::from_words(&owned(&line.split(' ').collect::<Vec<_>>()), &choices)
    }

    #[test]
    fn what_was_typed_is_a_request_for_the_same() {
        for (typed, meant) in [
            ("bd", "cargo xtask bd"),
            ("-q bd --backend two --message-format json", "cargo xtask bd --backend=two"),
            ("check --backend=all --timings", "cargo xtask check --backend=one,two"),
            (
                "bdp --backend one --backend two --platform=linux/amd64 --engine buildkit --profile dist --tag next",
                "cargo xtask bdp --backend=one,two --platform=linux/amd64 --engine=buildkit --profile=dist --tag=next",
            ),
        ] {
            assert_eq!(read(typed).unwrap().command(), meant);
        }
    }

    #[test]
    fn what_no_request_says_is_named() {
        for (typed, why) in [
            ("up", "`up` is nothing that can be asked for here"),
            ("bd --image x", "`--image` is nothing that can be asked for here"),
            ("build --jobs=2", "`--jobs` is nothing that can be asked for here"),
            ("bd --tag a --tag b", "only one tag can be asked for here"),
            ("bd --engine=other", "`--engine=other` is nothing that can be asked for here"),
            ("bd up", "`up` is nothing that can be asked for here"),
            ("-q", "there is no task"),
            ("bd --tag", "`--tag` has no value"),
            ("bd --backend three", "there is no backend `three`; there is one, two"),
        ] {
            assert_eq!(read(typed).unwrap_err().to_string(), why);
        }
    }
}
