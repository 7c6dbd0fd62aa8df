//! What a shell asks of the Kitchen of its project, by the key in the project's folder.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use ureq::Body;
use ureq::http::Response;
use xtask_kitchen::place::{Place, Running};

/// How often a log is looked at that is followed.
const LOOK: Duration = Duration::from_millis(200);

/// A build, as far as a line shows it.
#[derive(Deserialize)]
struct Build {
    id: i64,
    status: String,
    command: String,
}

/// A build as it is answered alone.
#[derive(Deserialize)]
struct Detail {
    build: Build,
}

/// What lets a browser in.
#[derive(Deserialize)]
struct Token {
    token: String,
}

/// A refusal.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// Prints the latest builds.
pub(crate) fn builds(place: &Place) -> Result<()> {
    let text = ask(place, "GET", "/api/builds")?;
    let builds: Vec<Build> = serde_json::from_str(&text).context("the answer of Kitchen")?;
    for Build { id, status, command } in builds {
        print(format!("{id:>6}  {status:<11}  {command}\n").as_bytes());
    }
    Ok(())
}

/// Prints the log of a build.
pub(crate) fn logs(place: &Place, build: u32) -> Result<()> {
    print(ask(place, "GET", &format!("/api/builds/{build}/log"))?.as_bytes());
    Ok(())
}

/// Prints the log of a build while it grows, from the file itself.
///
/// # Errors
/// When the build ends otherwise than well: with its status.
pub(crate) fn follow(place: &Place, build: u32) -> Result<()> {
    let mut offset = 0;
    loop {
        // What a build printed before it ended is in the file by then.
        let text = ask(place, "GET", &format!("/api/builds/{build}"))?;
        let Detail { build: Build { status, .. } } =
            serde_json::from_str(&text).context("the answer of Kitchen")?;
        if let Ok(mut file) = File::open(place.log(build.into())) {
            let mut more = Vec::new();
            file.seek(SeekFrom::Start(offset))
                .and_then(|_| file.read_to_end(&mut more))
                .context("the log")?;
            offset += more.len() as u64;
            print(&more);
        }
        match status.as_str() {
            "queued" | "running" => std::thread::sleep(LOOK),
            "done" => return Ok(()),
            _ => bail!("build {build}: {status}"),
        }
    }
}

/// Prints all that is known of a build, or of each in the history, as JSON.
pub(crate) fn export(place: &Place, build: Option<u32>) -> Result<()> {
    let path = build.map_or("/api/export".to_owned(), |build| format!("/api/builds/{build}/export"));
    let mut answer = answer(place, "GET", &path)?;
    let printed = std::io::copy(&mut answer.body_mut().as_reader(), &mut std::io::stdout());
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("the answer of Kitchen is not whole")
        }
        _ => Ok(()),
    }
}

/// Ends a build.
pub(crate) fn kill(place: &Place, build: u32) -> Result<()> {
    ask(place, "POST", &format!("/api/builds/{build}/kill")).map(drop)
}

/// An address that lets one browser into the Kitchen that runs.
pub(crate) fn entrance(place: &Place) -> Result<String> {
    let Token { token } =
        serde_json::from_str(&ask(place, "POST", "/api/tokens")?).context("the answer of Kitchen")?;
    let Running { url, .. } = running(place)?;
    Ok(format!("{url}/enter#{token}"))
}

fn running(place: &Place) -> Result<Running> {
    place.running().context("no Kitchen runs for this project; `cargo xtask kitchen` opens one")
}

fn ask(place: &Place, method: &str, path: &str) -> Result<String> {
    answer(place, method, path)?.body_mut().read_to_string().context("the answer of Kitchen")
}

/// The answer to a request that is not refused.
fn answer(place: &Place, method: &str, path: &str) -> Result<Response<Body>> {
    let Running { url, .. } = running(place)?;
    let key = fs::read_to_string(place.key()).context("the key of Kitchen")?;
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let (url, key) = (format!("{url}{path}"), format!("Bearer {key}"));
    let answer = match method {
        "POST" => agent.post(&url).header("authorization", &key).send_empty(),
        _ => agent.get(&url).header("authorization", &key).call(),
    };
    let mut answer = answer.context("Kitchen does not answer")?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let text = answer.body_mut().read_to_string().context("the answer of Kitchen")?;
    match serde_json::from_str::<Problem>(&text) {
        Ok(Problem { detail }) => bail!("{detail}"),
        Err(_) => bail!("Kitchen answered {}", answer.status()),
    }
}

/// Writes to standard output. That nobody may be there to read it is no reason to fail.
fn print(bytes: &[u8]) {
    let _ = std::io::stdout().write_all(bytes);
}
