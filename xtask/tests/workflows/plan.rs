//! What the workflows have a machine do: each `run:` once, with the environment that GitHub would give it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use yaml_rust2::{Yaml, YamlLoader};

use super::expression::{filled, is_true, value};

/// A `run:` of a workflow.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Workflow, job and step.
    pub(crate) name: String,
    /// The job, which is a machine of its own.
    pub(crate) job: String,
    /// What a shell gets.
    pub(crate) run: String,
    /// The variables of workflow, job and step.
    pub(crate) env: BTreeMap<String, String>,
    /// The folder, from the repository's root.
    pub(crate) folder: String,
    /// The outputs that something later reads.
    pub(crate) outputs: Vec<String>,
    /// Whether the job goes on after it has failed.
    pub(crate) may_fail: bool,
    /// Why it cannot run here.
    pub(crate) skip: Option<String>,
}

/// The lines of all workflows below `root` in the order in which they run, and the actions that nothing here can run.
pub(crate) fn read(root: &Path, matrix: &Value, image: &str) -> (Vec<Line>, BTreeMap<String, usize>) {
    let folders = [
        ".github/workflows",
        "template/files/.github/workflows", // template: if is_template
    ];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let mut paths = files.map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    paths.sort();
    let (mut lines, mut actions) = (Vec::new(), BTreeMap::new());
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let documents =
            YamlLoader::load_from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let workflow = json(&documents[0]);
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let jobs = workflow["jobs"].as_object().unwrap_or_else(|| panic!("{file} has no jobs"));
        let contexts = contexts(&workflow, matrix, image);
        let mut ordered = jobs.iter().collect::<Vec<_>>();
        ordered.sort_by_key(|(_, job)| !job["needs"].is_null());
        for (name, job) in ordered {
            let found = of_job(&format!("{file}/{name}"), &workflow, job, &contexts, &mut actions);
            lines.extend(found.unwrap_or_else(|error| panic!("{file}/{name}: {error}")));
        }
    }
    (lines, actions)
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => text.as_str().into(),
        Yaml::Integer(number) => (*number).into(),
        Yaml::Boolean(is) => (*is).into(),
        Yaml::Array(items) => items.iter().map(json).collect(),
        Yaml::Hash(map) => {
            let pair =
                |(key, value): (&Yaml, &Yaml)| (key.as_str().unwrap_or_default().to_owned(), json(value));
            map.iter().map(pair).collect::<serde_json::Map<_, _>>().into()
        }
        Yaml::Null => Value::Null,
        Yaml::Alias(_) | Yaml::BadValue => panic!("GitHub takes no such YAML: {yaml:?}"),
    }
}

/// What is known before anything runs.
fn contexts(workflow: &Value, matrix: &Value, image: &str) -> Value {
    let inputs = workflow["on"]["workflow_dispatch"]["inputs"].as_object();
    let inputs = inputs.into_iter().flatten().map(|(name, input)| (name.clone(), input["default"].clone()));
    json!({
        "github": { "event_name": "push", "ref": "refs/heads/main", "repository": "team/app" },
        // Nobody waits here for what is shipped; and what a machine lacks is left out.
        "vars": { "IMAGE": image, "PROFILE": "release", "SKIP": super::left_out() },
        "secrets": {},
        "inputs": inputs.collect::<serde_json::Map<_, _>>(),
        "needs": { "matrix": { "outputs": { "matrix": matrix.to_string() } } },
    })
}

fn of_job(
    job_name: &str,
    workflow: &Value,
    job: &Value,
    contexts: &Value,
    actions: &mut BTreeMap<String, usize>,
) -> Result<Vec<Line>, String> {
    let rows = match job["strategy"]["matrix"]["include"].as_str() {
        Some(include) => value(include, contexts)?.as_array().ok_or("the matrix is no list")?.clone(),
        None => vec![Value::Null],
    };
    let runs_on = |row: &Value| {
        let contexts = with(contexts, "matrix", row.clone());
        filled(job["runs-on"].as_str().unwrap_or_default(), &contexts).map(|runner| (runner, contexts))
    };
    let machines = rows.iter().map(runs_on).collect::<Result<Vec<_>, _>>()?;
    let own = machines.iter().find(|(runner, _)| is_like_this_machine(runner));
    let (runner, contexts) = own.or(machines.first()).ok_or("the matrix has no row")?;
    let contexts = &with(contexts, "steps", failed(job));
    let skip = own.is_none().then(|| format!("this machine is no {runner}"));
    let text = job.to_string();
    let mut lines = Vec::new();
    for step in job["steps"].as_array().ok_or("there are no steps")? {
        if let Some(action) = step["uses"].as_str() {
            *actions.entry(action.split('@').next().unwrap_or_default().to_owned()).or_default() += 1;
            continue;
        }
        let run = step["run"].as_str().ok_or("a step has neither `uses` nor `run`")?;
        assert!(!run.contains("${{"), "{job_name}: GitHub would put text into a shell's program: {run}");
        let is_wanted =
            step["if"].as_str().map_or(Ok(true), |when| value(when, contexts).map(|v| is_true(&v)))?;
        let id = step["id"].as_str().unwrap_or("no id");
        let place = format!("steps.{id}.outputs.");
        let read = text.split(&place).skip(1);
        let read = read
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
        lines.push(Line {
            name: format!("{job_name}: {}", step["name"].as_str().ok_or("a step has no name")?),
            job: job_name.to_owned(),
            run: run.to_owned(),
            env: env(&[&workflow["env"], &job["env"], &step["env"]], contexts)?,
            folder: step["working-directory"].as_str().unwrap_or(".").to_owned(),
            may_fail: step["continue-on-error"] == true,
            outputs: read.map(str::to_owned).collect(),
            skip: if is_wanted { skip.clone() } else { Some("its `if` is false in this row".to_owned()) },
        });
    }
    Ok(lines)
}

/// The steps that may fail: what follows when they do is there to be tested.
fn failed(job: &Value) -> Value {
    let steps =
        job["steps"].as_array().into_iter().flatten().filter(|step| step["continue-on-error"] == true);
    let outcome = |step: &Value| Some((step["id"].as_str()?.to_owned(), json!({ "outcome": "failure" })));
    steps.filter_map(outcome).collect::<serde_json::Map<_, _>>().into()
}

fn with(contexts: &Value, name: &str, value: Value) -> Value {
    let mut contexts = contexts.clone();
    contexts[name] = value;
    contexts
}

fn is_like_this_machine(runner: &str) -> bool {
    let is_arm = runner.ends_with("-arm");
    cfg!(target_os = "linux") && runner.starts_with("ubuntu-") && is_arm == cfg!(target_arch = "aarch64")
}

fn env(maps: &[&Value], contexts: &Value) -> Result<BTreeMap<String, String>, String> {
    let all = maps.iter().filter_map(|map| map.as_object()).flatten();
    all.map(|(name, text)| {
        let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        Ok((name.clone(), filled(&text, contexts)?))
    })
    .collect()
}
