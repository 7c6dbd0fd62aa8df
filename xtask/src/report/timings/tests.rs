use serde_json::{Value, json};

use super::page::page;
use super::run::Run;
use crate::plan::{Plan, Step};
use crate::report::{CrateFinished, Event, Outcome};

fn step(name: &str, needs: &[&str]) -> Step {
    Step {
        name: name.to_owned(),
        why: format!("why {name}"),
        argv: vec![name.to_owned()],
        needs: needs.iter().map(|name| (*name).to_owned()).collect(),
        ..Step::default()
    }
}

/// A run whose steps may begin at 0.5.
fn run(steps: Vec<Step>) -> Run {
    let mut run = Run::new("check", "2026-03-01T12:00:00Z");
    run.begin(&Plan { steps, ..Plan::default() }, 0.5);
    run
}

fn started<'a>(step: &'a str, part_of: Option<&'a str>) -> Event<'a> {
    Event::StepStarted { step, why: "", command: format!("do {step}"), part_of, cached: false }
}

fn finished<'a>(step: &'a str, outcome: Outcome, seconds: f64, part_of: Option<&'a str>) -> Event<'a> {
    Event::StepFinished { step, outcome, exit_code: 0, seconds, part_of }
}

fn unit<'a>(package: &'a str, started: f64, finished: f64, fresh: bool) -> Event<'a> {
    let (step, version, outcome) = ("compile", "1.0.0", Outcome::Done);
    let (target, kind, test) = (Some("it_works"), Some("lib"), package == "tested");
    Event::Crate(CrateFinished {
        step,
        package,
        version,
        target,
        kind,
        test,
        started,
        finished,
        fresh,
        outcome,
    })
}

fn data(run: &Run) -> Value {
    serde_json::to_value(run).unwrap()
}

#[test]
fn a_crate_is_within_its_step_and_one_that_was_there_is_only_counted() {
    let mut run = run(vec![step("compile", &[])]);
    run.take(&started("compile", None), 2.0);
    run.take(&unit("old", 0.1, 0.1, true), 2.1);
    run.take(&unit("it-works", 0.25, 1.5, false), 3.5);
    run.take(&unit("tested", 1.5, 2.0004, false), 4.0);
    run.take(&finished("compile", Outcome::Done, 3.0, None), 5.0);
    run.end(5.25);
    let data = data(&run);
    let step = &data["steps"][0];
    assert_eq!((&data["begun"], &data["seconds"], &step["fresh"]), (&json!(0.5), &json!(5.25), &json!(1)));
    assert_eq!((&step["started"], &step["finished"]), (&json!(2.0), &json!(5.0)));
    let part = |name, kind, started: f64, finished: f64| {
        let outcome = "done";
        json!({"name": name, "kind": kind, "started": started, "finished": finished, "outcome": outcome})
    };
    let parts =
        [part("it-works 1.0.0", "lib", 2.25, 3.5), part("tested 1.0.0 it_works", "lib test", 3.5, 4.0)];
    assert_eq!(step["parts"], json!(parts));
}

#[test]
fn a_vertex_is_within_its_step_for_as_long_as_buildkit_says() {
    let mut run = run(vec![step("bake", &[])]);
    run.take(&started("bake", None), 1.0);
    run.take(&started("bake: base 1/2", Some("bake")), 1.5);
    run.take(&finished("bake: base 1/2", Outcome::Failed, 0.5, Some("bake")), 3.0);
    run.take(&finished("bake: base 2/2", Outcome::Cached, 0.0, Some("bake")), 3.0);
    let data = data(&run);
    let part = json!({
        "name": "base 1/2", "kind": "vertex", "started": 2.5, "finished": 3.0, "outcome": "failed",
        "command": "do bake: base 1/2",
    });
    assert_eq!((&data["steps"][0]["parts"], &data["steps"][0]["cached"]), (&json!([part]), &json!(1)));
}

#[test]
fn waiting_for_another_cargo_lasts_until_the_next_line() {
    let mut run = run(vec![step("compile", &[])]);
    let output = |line| Event::Output { step: "compile", line };
    run.take(&started("compile", None), 1.0);
    run.take(
        &output("\u{1b}[1m\u{1b}[92m    Blocking\u{1b}[0m waiting for file lock on package cache"),
        1.25,
    );
    run.take(&output("    Blocking waiting for file lock on build directory"), 2.0);
    run.take(&unit("a", 2.0, 2.0, true), 3.5);
    run.take(&output("done"), 4.0);
    assert_eq!(data(&run)["steps"][0]["blocked"], json!([[1.25, 2.0], [2.0, 3.5]]));
}

#[test]
fn what_still_ran_at_the_end_was_cancelled_and_what_had_not_begun_did_not_run() {
    let mut run = run(vec![step("a", &[]), step("b", &["a"]), step("c", &[])]);
    run.take(&started("a", None), 1.0);
    run.take(&Event::StepSkipped { step: "c", why: "", reason: "no c" }, 1.0);
    run.take(&Event::Error { message: "the disk is full".to_owned() }, 2.0);
    run.end(2.0);
    let data = data(&run);
    let [a, b, c] = [0, 1, 2].map(|index| &data["steps"][index]);
    assert_eq!((&a["outcome"], &a["finished"]), (&json!("cancelled"), &json!(2.0)));
    assert_eq!((&b["outcome"], &b["started"], &b["needs"]), (&json!(null), &json!(null), &json!(["a"])));
    assert_eq!((&c["skipped"], &data["error"]), (&json!("no c"), &json!("the disk is full")));
}

#[test]
fn nothing_that_strangers_write_gets_out_of_the_data() {
    let hostile = "</script><script>alert(1)</script><!-- {{style}} {{data}}";
    let mut run = run(vec![step("compile", &[]), step(hostile, &[])]);
    run.take(&started("compile", None), 1.0);
    run.take(&unit(hostile, 0.0, 1.0, false), 2.0);
    run.take(&Event::Error { message: hostile.to_owned() }, 2.0);
    let page = page(&run).unwrap();
    let usual = self::run(Vec::new());
    let count = |text: &str, what: &str| text.matches(what).count();
    for what in ["<script", "</script", "<!--", "<style"] {
        assert_eq!(count(&page, what), count(&self::page(&usual).unwrap(), what), "{what}");
    }
    let (_, data) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(data["steps"][1]["name"], hostile);
    assert_eq!(data["steps"][0]["parts"][0]["name"], format!("{hostile} 1.0.0 it_works"));
}

#[test]
fn the_page_needs_nothing_besides_itself() {
    let page = page(&run(Vec::new())).unwrap();
    assert!(!page.contains("{{"), "a place is left empty");
    let namespace = "http://www.w3.org/2000/svg";
    for what in ["src=", "href=", "@import", "url(", "fetch(", "://"] {
        assert!(!page.replace(namespace, "").contains(what), "{what}");
    }
}

#[test]
fn a_long_command_is_shortened() {
    let mut run = run(Vec::new());
    let long = Step { argv: vec!["é".repeat(5000)], ..step("long", &[]) };
    run.begin(&Plan { steps: vec![long], ..Plan::default() }, 0.0);
    assert_eq!(data(&run)["steps"][0]["command"].as_str().unwrap().chars().count(), 2001);
}
