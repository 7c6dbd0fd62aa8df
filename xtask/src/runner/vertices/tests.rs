use expect_test::{Expect, expect};

use super::*;

/// The events of what buildx printed, as short lines.
fn events(recording: &str) -> String {
    let mut text = String::new();
    let mut tell = |event: &Event<'_>| text += &format!("{}\n", short(event));
    let mut vertices = Vertices::new("bake");
    recording.lines().for_each(|line| vertices.line(line, &mut tell));
    vertices.end(&mut tell);
    text
}

fn short(event: &Event<'_>) -> String {
    match event {
        Event::StepStarted { step, why, command, part_of, cached } => {
            assert_eq!(*part_of, Some("bake"));
            assert!(!command.is_empty());
            format!("{step} > {why}{}", if *cached { " (cached)" } else { "" })
        }
        Event::Output { step, line } => format!("{step} | {}", line.replace('\r', "\\r")),
        Event::StepFinished { step, outcome, exit_code, seconds, part_of } => {
            assert_eq!(*part_of, Some("bake"));
            format!("{step} = {outcome:?} {exit_code} {seconds:.3} s")
        }
        other => panic!("{other:?}"),
    }
}

fn check(recording: &str, expected: &Expect) {
    expected.assert_eq(&events(recording));
}

#[test]
fn linked_targets_share_their_vertices() {
    check(
        include_str!("recordings/linked.txt"),
        &expect![[r#"
        bake: img-sqlite context > load build context
        bake: img-sqlite context (2) > load build context
        bake: img-sqlite base 1/1 > FROM docker.io/library/alpine:3.22
        bake: img-sqlite base 1/1 = Done 0 0.038 s
        bake: img-sqlite context (2) = Done 0 0.033 s
        bake: img-sqlite cook 1/2 > COPY recipe.txt /
        bake: img-sqlite cook 1/2 = Done 0 0.452 s
        bake: img-sqlite cook 2/2 > RUN echo "cooking on $(uname -s)"; sleep 0.3; printf 'half '; sleep 0.2…
        bake: img-sqlite cook 2/2 | cooking on Linux
        bake: img-sqlite cook 2/2 | half line
        bake: img-sqlite cook 2/2 | café without end
        bake: img-sqlite cook 2/2 = Done 0 0.612 s
        bake: img-sqlite 1/3 > RUN sleep 0.2; cat /recipe.txt >&2
        bake: img-sqlite 1/3 | hello 1795285305
        bake: img-sqlite 1/3 = Done 0 0.342 s
        bake: img-sqlite context = Done 0 0.031 s
        bake: img-sqlite 2/3 > COPY recipe.txt /again
        bake: img-sqlite 2/3 = Done 0 0.015 s
        bake: img-sqlite exporting > exporting to oci image format
        bake: img-sqlite exporting = Done 0 0.243 s
    "#]],
    );
}

#[test]
fn an_object_a_line_is_the_same() {
    let lines = events(include_str!("recordings/linked.jsonl"));
    assert!(!lines.contains('{') && lines.contains("exporting"), "{lines}");
    assert_eq!(lines, events(include_str!("recordings/linked.txt")));
}

#[test]
fn what_is_cached_starts_and_ends_at_once() {
    check(
        include_str!("recordings/cached.txt"),
        &expect![[r#"
        bake: img-sqlite context > load build context
        bake: cook context > load build context
        bake: cook context = Done 0 0.011 s
        bake: cook cook 1/2 > COPY recipe.txt / (cached)
        bake: cook cook 1/2 = Cached 0 0.000 s
        bake: cook cook 2/2 > RUN echo "cooking on $(uname -s)"; sleep 0.3; printf 'half '; sleep 0.2… (cached)
        bake: cook cook 2/2 = Cached 0 0.001 s
        bake: img-sqlite 1/3 > RUN sleep 0.2; cat /recipe.txt >&2 (cached)
        bake: img-sqlite 1/3 = Cached 0 0.000 s
        bake: img-sqlite context = Done 0 0.023 s
        bake: img-sqlite 2/3 > COPY recipe.txt /again (cached)
        bake: img-sqlite 2/3 = Cached 0 0.000 s
        bake: img-sqlite exporting > exporting to oci image format
        bake: img-sqlite exporting = Done 0 0.053 s
        bake: cook base 1/1 > FROM docker.io/library/alpine:3.22 (cached)
        bake: cook base 1/1 = Cached 0 0.012 s
    "#]],
    );
}

#[test]
fn the_vertex_that_failed_is_told_from_those_it_took_with_it() {
    check(
        include_str!("recordings/failed.txt"),
        &expect![[r#"
        bake: other 1/2 > FROM docker.io/library/alpine:3.22 (cached)
        bake: other 1/2 = Cached 0 0.019 s
        bake: other 2/2 > RUN echo waiting; sleep 3
        bake: base 2/2 > RUN echo "about to fail"; sleep 0.2; echo 'error[E0425]: cannot find va…
        bake: other 2/2 | waiting
        bake: base 2/2 | about to fail
        bake: base 2/2 | error[E0425]: cannot find value
        bake: base 2/2 = Failed 3 0.575 s
        bake: other 2/2 = Cancelled 137 0.656 s
        bake | Dockerfile.fail:2
        bake | --------------------
        bake |    1 |     FROM alpine:3.22 AS base
        bake |    2 | >>> RUN --network=none echo "about to fail"; sleep 0.2; echo 'error[E0425]: cannot find value' >&2; exit 3
        bake |    3 |     FROM alpine:3.22 AS other
        bake |    4 |     RUN --network=none echo waiting; sleep 3
        bake | --------------------
        bake | ERROR: failed to solve: process "/bin/sh -c echo \"about to fail\"; sleep 0.2; echo 'error[E0425]: cannot find value' >&2; exit 3" did not complete successfully: exit code: 3
    "#]],
    );
}

#[test]
fn a_vertex_without_a_process_can_fail() {
    check(
        include_str!("recordings/missing.txt"),
        &expect![[r#"
        bake: context > load build context
        bake: 1/2 > FROM docker.io/library/alpine:3.22 (cached)
        bake: 1/2 = Cached 0 0.014 s
        bake: context = Done 0 0.012 s
        bake: 2/2 > COPY missing /
        bake: 2/2 = Failed 1 0.000 s
        bake | Dockerfile.bad:2
        bake | --------------------
        bake |    1 |     FROM alpine:3.22
        bake |    2 | >>> COPY missing /
        bake |    3 |     
        bake | --------------------
        bake | ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref uok46qr61w6qjt9ukpfbiutji::run6w85gux05ic9gp683y0kuq: "/missing": not found
    "#]],
    );
}

#[test]
fn ctrl_c_cancels_what_ran() {
    check(
        include_str!("recordings/cancelled.txt"),
        &expect![[r#"
        bake: 1/2 > FROM docker.io/library/alpine:3.22 (cached)
        bake: 1/2 = Cached 0 0.029 s
        bake: 2/2 > RUN echo "begun"; sleep 20
        bake: 2/2 | begun
        bake: 2/2 = Cancelled 137 3.753 s
        bake | ERROR: failed to solve: Canceled: context canceled
    "#]],
    );
}

#[test]
fn platforms_and_links_are_told_apart() {
    check(
        include_str!("recordings/platforms.txt"),
        &expect![[r#"
        bake: linux/amd64 build 1/2 > FROM docker.io/library/alpine:3.22 (cached)
        bake: linux/amd64 build 1/2 = Cached 0 0.073 s
        bake: linux/amd64->arm64 build 2/2 > RUN echo "for arm64"; sleep 0.2; printf '10%%\r50%%\r'; echo arm64 > /a…
        bake: linux/amd64 build 2/2 > RUN echo "for amd64"; sleep 0.2; printf '10%%\r50%%\r'; echo amd64 > /a…
        bake: 1/3 > FROM registry.example/library/debian:bookworm-slim
        bake: 1/3 = Done 0 0.026 s
        bake: linux/amd64 lazy 1/1 > FROM docker.io/library/debian:bookworm-slim (cached)
        bake: linux/amd64 lazy 1/1 = Cached 0 0.087 s
        bake: linux/amd64 service 2/2 (2) > COPY --from=lazy --link /etc/hostname /h
        bake: linux/amd64 service 2/2 (2) = Done 0 0.026 s
        bake: linux/amd64->arm64 build 2/2 | for arm64
        bake: linux/amd64 build 2/2 | for amd64
        bake: linux/amd64 build 2/2 | 10%\r50%
        bake: linux/amd64 build 2/2 = Done 0 0.769 s
        bake: linux/amd64->arm64 build 2/2 | 10%\r50%
        bake: linux/amd64->arm64 build 2/2 = Done 0 0.781 s
        bake: linux/amd64 service 1/2 > COPY --from=build --link /arch /arch (cached)
        bake: linux/amd64 service 1/2 = Cached 0 0.000 s
        bake: linux/amd64 service 2/2 > LINK COPY --from=lazy --link /etc/hostname /h
        bake: linux/arm64 service 1/2 > COPY --from=build --link /arch /arch (cached)
        bake: linux/arm64 service 1/2 = Cached 0 0.000 s
        bake: linux/arm64 service 2/2 (2) > COPY --from=lazy --link /etc/hostname /h (cached)
        bake: linux/arm64 service 2/2 (2) = Cached 0 0.000 s
        bake: linux/arm64 service 2/2 > LINK COPY --from=lazy --link /etc/hostname /h
        bake: linux/arm64 service 2/2 = Done 0 0.003 s
        bake: linux/amd64 service 2/2 = Done 0 0.013 s
        bake: exporting > exporting to oci image format
        bake: exporting = Done 0 0.349 s
        bake: linux/arm64 lazy 1/1 > FROM docker.io/library/debian:bookworm-slim
        bake: linux/arm64 lazy 1/1 = Done 0 0.091 s
    "#]],
    );
}

#[test]
fn what_is_no_progress_is_shown_as_it_is() {
    let text = "WARN: x\n{}\n{\n  \"vertexes\": 3\n}\n{\"other\":1}\n{ not json\n{\n  \"logs\": [";
    check(
        text,
        &expect![[r#"
        bake | WARN: x
        bake | {
        bake |   "vertexes": 3
        bake | }
        bake | {"other":1}
        bake | { not json
        bake | {
        bake |   "logs": [
    "#]],
    );
}

#[test]
fn an_object_that_was_split_as_too_long_is_put_together() {
    let log = |data: &[u8]| data_encoding::BASE64.encode(data);
    let object =
        format!(r#"{{"logs":[{{"vertex":"sha256:a","data":"{}"}}]}}"#, log(&b"}\"{ caf\xe9\n".repeat(9)));
    let split = object.as_bytes().chunks(20).map(|part| String::from_utf8_lossy(part).into_owned());
    let expected = "bake | }\"{ caf\u{fffd}\n".repeat(9);
    assert_eq!(events(&split.collect::<Vec<_>>().join("\n")), expected);
}

#[test]
fn output_without_a_line_end_is_neither_lost_nor_kept_for_ever() {
    let log = |length: usize| {
        let data = data_encoding::BASE64.encode(&vec![b'x'; length]);
        format!(r#"{{"logs":[{{"vertex":"sha256:a","data":"{data}"}}]}}"#)
    };
    let text = events(&[log(60_000), log(60_000), log(5)].join("\n"));
    let lengths = text.lines().map(|line| line.len() - "bake | ".len()).collect::<Vec<_>>();
    assert_eq!(lengths, [120_000, 5]);
}

#[test]
fn each_warning_is_shown_once() {
    let warning =
        r#"{"warnings":[{"vertex":"sha256:a","level":1,"short":"SlNPTkFyZ3M=","url":"https://e.x/"}]}"#;
    assert_eq!(events(&format!("{warning}\n{warning}")), "bake | warning: JSONArgs (https://e.x/)\n");
}

#[test]
fn an_instruction_that_speaks_of_cancelling_has_still_failed() {
    let vertex = |error: &str| {
        let times = r#""started":"2026-01-01T10:00:00.5+01:00","completed":"2026-01-01T10:00:02+01:00""#;
        events(&format!(
            r#"{{"vertexes":[{{"digest":"a","name":"[1/1] RUN x","error":"{error}",{times}}}]}}"#
        ))
    };
    let failed = vertex("process 'echo context canceled' did not complete: exit code: 4");
    assert!(failed.ends_with("bake: 1/1 = Failed 4 1.500 s\n"), "{failed}");
    let cancelled = vertex("rpc error: code = Canceled desc = context canceled: context canceled");
    assert!(cancelled.ends_with("bake: 1/1 = Cancelled 1 1.500 s\n"), "{cancelled}");
}

#[test]
fn what_still_ran_at_the_end_was_cancelled() {
    let text = r#"{"vertexes":[{"digest":"a","name":"[1/1] RUN x","started":"2026-01-01T10:00:00Z"}]}"#;
    assert_eq!(events(text), "bake: 1/1 > RUN x\nbake: 1/1 = Cancelled 1 0.000 s\n");
}
