use expect_test::{Expect, expect};

use super::*;

/// The events of what cargo printed with two jobs, one line a second, as short lines. Output is counted.
fn events(recording: &str) -> String {
    let mut text = String::new();
    let mut shown = 0;
    let mut tell = |event: &Event<'_>| match event {
        Event::Crate(unit) => text += &short(unit),
        Event::Output { step: "compile", line } => {
            assert!(!line.starts_with(r#"{"reason":"c"#), "{line}");
            shown += 1;
        }
        other => panic!("{other:?}"),
    };
    let mut crates = Crates::new("compile", 2);
    for (second, line) in recording.lines().enumerate() {
        crates.line(line, second as f64, &mut tell);
    }
    crates.end(recording.lines().count() as f64, &mut tell);
    format!("{text}{shown} lines\n")
}

fn short(unit: &CrateFinished<'_>) -> String {
    let CrateFinished { package, version, target, kind, started, finished, outcome, .. } = unit;
    let test = if unit.test { " test" } else { "" };
    let name = format!("{package} {version} {} {}{test}", kind.unwrap_or("?"), target.unwrap_or("?"));
    match (unit.fresh, outcome) {
        (true, _) => format!("{name}: fresh at {finished}\n"),
        (false, Outcome::Done) => format!("{name}: {started} to {finished}\n"),
        (false, outcome) => format!("{name}: {outcome:?}, {started} to {finished}\n"),
    }
}

fn check(recording: &str, expected: &Expect) {
    expected.assert_eq(&events(recording));
}

#[test]
fn the_units_of_a_package_begin_after_those_that_they_need() {
    check(
        include_str!("recordings/test.txt"),
        &expect![[r#"
        base 0.3.1 custom-build build-script-build: 1 to 3
        base 0.3.1 run-custom-build build-script-build: 3 to 4
        base 0.3.1 lib base: 4 to 6
        mac 1.0.0 proc-macro mac: 2 to 7
        demo-app 0.1.0 lib demo_app: 8 to 17
        base 0.3.1 lib base test: 6 to 19
        demo-app 0.1.0 bin demo-app test: 17 to 20
        demo-app 0.1.0 example ex: 19 to 21
        demo-app 0.1.0 bin demo-app: 20 to 22
        demo-app 0.1.0 test it test: 22 to 23
        demo-app 0.1.0 lib demo_app test: 22 to 24
        mac 1.0.0 proc-macro mac test: 23 to 26
        66 lines
    "#]],
    );
}

#[test]
fn what_is_fresh_begins_nothing() {
    check(
        include_str!("recordings/fresh.txt"),
        &expect![[r#"
        base 0.3.1 custom-build build-script-build: fresh at 0
        base 0.3.1 run-custom-build build-script-build: fresh at 1
        base 0.3.1 lib base: fresh at 3
        mac 1.0.0 proc-macro mac: fresh at 4
        demo-app 0.1.0 lib demo_app: fresh at 13
        demo-app 0.1.0 bin demo-app: fresh at 15
        demo-app 0.1.0 test it test: fresh at 16
        demo-app 0.1.0 example ex: fresh at 17
        demo-app 0.1.0 bin demo-app test: fresh at 18
        demo-app 0.1.0 lib demo_app test: fresh at 19
        base 0.3.1 lib base test: fresh at 21
        mac 1.0.0 proc-macro mac test: fresh at 22
        62 lines
    "#]],
    );
}

#[test]
fn colours_hide_nothing() {
    check(
        include_str!("recordings/clippy.txt"),
        &expect![[r#"
        base 0.3.1 custom-build build-script-build: 0 to 2
        base 0.3.1 run-custom-build build-script-build: 2 to 3
        base 0.3.1 lib base: 3 to 5
        mac 1.0.0 proc-macro mac: 1 to 6
        base 0.3.1 lib base test: 5 to 16
        demo-app 0.1.0 lib demo_app: 7 to 17
        demo-app 0.1.0 bin demo-app test: 17 to 33
        demo-app 0.1.0 lib demo_app test: 17 to 34
        demo-app 0.1.0 example ex: 33 to 36
        demo-app 0.1.0 test it test: 34 to 37
        demo-app 0.1.0 bin demo-app: 36 to 38
        mac 1.0.0 proc-macro mac: 37 to 39
        mac 1.0.0 proc-macro mac test: 38 to 40
        29 lines
    "#]],
    );
}

#[test]
fn the_unit_that_failed_is_told() {
    check(
        include_str!("recordings/failed.txt"),
        &expect![[r#"
        base 0.3.1 custom-build build-script-build: fresh at 0
        base 0.3.1 run-custom-build build-script-build: fresh at 1
        base 0.3.1 lib base: fresh at 3
        mac 1.0.0 proc-macro mac: 4 to 5
        demo-app 0.1.0 lib demo_app: Failed, 6 to 25
        22 lines
    "#]],
    );
}

#[test]
fn the_build_script_that_failed_is_told() {
    check(
        include_str!("recordings/build-script.txt"),
        &expect![[r#"
        mac 1.0.0 proc-macro mac: fresh at 1
        base 0.3.1 custom-build build-script-build: 0 to 2
        base 0.3.1 run-custom-build build-script-build: Failed, 2 to 3
        8 lines
    "#]],
    );
}

#[test]
fn what_had_only_begun_was_cancelled() {
    check(
        "   Compiling b v2.0.0\n   Compiling a v1.0.0",
        &expect![[r#"
        b 2.0.0 ? ?: Cancelled, 0 to 2
        a 1.0.0 ? ?: Cancelled, 1 to 2
        2 lines
    "#]],
    );
}

#[test]
fn what_is_no_message_is_shown() {
    let finished = r#"{"reason":"build-finished","success":true}"#;
    let artifact = r#"{"reason":"compiler-artifact","package_id":"a#1.0.0"}"#;
    let of_a_test = r#"{"reason":"build-script-executed","package_id":"a#1.0.0"}"#;
    let mut lines = Vec::new();
    let mut crates = Crates::new("test", 1);
    for line in [artifact, r#"{"reason":"#, r#"{"reason":"x""#, "{}", finished, of_a_test, "ok"] {
        assert_eq!(crates.is_built(), line == of_a_test || line == "ok");
        crates.line(line, 0.0, &mut |event| match event {
            Event::Output { line, .. } => lines.push((*line).to_owned()),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(lines, [artifact, r#"{"reason":"#, r#"{"reason":"x""#, "{}", of_a_test, "ok"]);
}

#[test]
fn a_message_that_was_split_as_too_long_is_put_together() {
    let paths = vec!["x".repeat(1000); 150];
    let message =
        format!(r#"{{"reason":"build-script-executed","package_id":"p#1.0.0","linked_paths":{paths:?}}}"#);
    let pieces = message.as_bytes().chunks(usize::try_from(MAX_LINE).unwrap());
    let pieces = pieces.map(|piece| String::from_utf8_lossy(piece).into_owned()).collect::<Vec<_>>();
    assert_eq!(pieces.len(), 3);
    check(
        &pieces.join("\n"),
        &expect![[r#"
        p 1.0.0 run-custom-build build-script-build: fresh at 2
        0 lines
    "#]],
    );

    // What never ends is shown when the step does.
    assert_eq!(events(&pieces[0]), "1 lines\n");
}

#[test]
fn a_message_in_the_middle_of_a_line_is_taken_out_of_it() {
    let mut shown = Vec::new();
    let mut tell = |event: &Event<'_>| {
        if let Event::Output { line, .. } = event {
            shown.push((*line).to_owned());
        }
    };
    let mut crates = Crates::new("compile", 2);
    crates.line(
        r#"   Compiling{"reason":"build-script-executed","package_id":"registry+x#one@1.0.0"}"#,
        1.0,
        &mut tell,
    );
    crates.line(" two v1.0.0", 1.0, &mut tell);
    crates.line(r#"   Compiling{"reason":"build-finished","success":true}"#, 2.0, &mut tell);
    assert!(crates.is_built());
    crates.end(3.0, &mut tell);
    assert_eq!(shown, ["   Compiling two v1.0.0", "   Compiling"]);
}
