//! Events as lines for people.

use image_spec::size::bytes;

use crate::build::event::Event;
use crate::build::finding::Push;

/// The lines of an event, each with its end; nothing for one that is not shown.
pub(crate) fn of_event(event: &Event) -> Option<String> {
    match event {
        Event::Plan { steps } => Some(steps.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        Event::Definition { text } => Some(format!("{}\n", text.trim_end())),
        Event::StepStarted { step, why, .. } => Some(format!("{step} > {why}\n")),
        Event::StepSkipped { step, reason, .. } => Some(format!("{step} - skipped: {reason}\n")),
        Event::Output { step, line } => Some(format!("{step} | {line}\n")),
        Event::StepFinished { step, outcome, seconds } => {
            Some(format!("{step} < {outcome} in {seconds:.2} s\n"))
        }
        Event::Image { tags, push: Some(push), .. } => Some(of_push(tags, push)),
        Event::Note { message } => Some(format!("note: {message}\n")),
        Event::Error { message } => Some(format!("error: {message}\n")),
        Event::Crate { .. }
        | Event::Artifact { .. }
        | Event::Release(_)
        | Event::Registry(_)
        | Event::Image { push: None, .. }
        | Event::Finished { .. }
        | Event::Other => None,
    }
}

fn of_push(tags: &[String], push: &Push) -> String {
    let [uploaded, mounted, present] = [push.uploaded, push.mounted, push.present]
        .map(|size| bytes(u64::try_from(size).unwrap_or_default()));
    let did = if push.dry_run { ["to upload", "to mount"] } else { ["uploaded", "mounted"] };
    let [upload, mount] = did;
    format!("{}: {uploaded} {upload}, {mounted} {mount}, {present} already there\n", tags.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_has_its_plan_as_its_log() {
        let plan = br##"{"v":1,"event":"plan","cwd":"/src","steps":[{"name":"compile","why":"compile it","argv":["cargo","build"],"needs":[]},{"name":"load","why":"load it","argv":["docker","load"],"needs":["compile"],"skip":"docker is missing"}],"products":[]}"##;
        let shown = of_event(&Event::parse(plan).unwrap());
        let expected =
            "# compile: compile it\ncargo build\n\n# load: load it\n# skipped: docker is missing\n";
        assert_eq!(shown.as_deref(), Some(expected));
        let definition = Event::parse(br#"{"v":1,"event":"definition","text":"{}"}"#).unwrap();
        assert_eq!(of_event(&definition).as_deref(), Some("{}\n"));
    }

    #[test]
    fn a_push_says_what_goes_over_the_network() {
        let image = br#"{"v":1,"event":"image","backend":"one","tags":["a:1","a:latest"],"digest":"sha256:1","platforms":[],"push":{"uploaded":3200000,"mounted":0,"present":999,"dry_run":true}}"#;
        let shown = of_event(&Event::parse(image).unwrap());
        let expected = "a:1, a:latest: 3.20 MB to upload, 0 B to mount, 999 B already there\n";
        assert_eq!(shown.as_deref(), Some(expected));
    }
}
