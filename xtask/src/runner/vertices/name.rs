//! What BuildKit's names of vertices say, such as `[img-one linux/amd64 service 3/6] COPY --link app /`.

/// How much of an instruction is shown, in characters.
const MAX_WHY: usize = 72;
/// How much of a label is shown, in characters.
const MAX_LABEL: usize = 60;

/// A vertex's name, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// What stands in the brackets: target, platform, stage and number, each where there is one.
    place: &'a str,
    /// What it does.
    pub(super) instruction: &'a str,
}

impl<'a> Name<'a> {
    /// Takes `name` apart.
    pub(super) fn parse(name: &'a str) -> Name<'a> {
        let parts = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (place, instruction) = parts.unwrap_or(("", name));
        Name { place: place.trim(), instruction: instruction.trim() }
    }

    /// Whether BuildKit does it for itself. Loading the build context is not: it takes long when too much is in it.
    pub(super) fn is_internal(&self) -> bool {
        self.target_of_internal().is_some() && !self.is_context()
    }

    /// The shortest that tells it from the others: where it stands or, if that is no numbered instruction, what it does.
    pub(super) fn label(&self) -> String {
        let is_numbered = self.place.rsplit(' ').next().is_some_and(|last| {
            last.split_once('/').is_some_and(|(number, of)| is_number(number) && is_number(of))
        });
        let target = self.target_of_internal().unwrap_or(self.place);
        let what = match self.instruction.split(' ').next() {
            _ if is_numbered => "",
            _ if self.is_context() => "context",
            first => first.unwrap_or_default(),
        };
        cut(format!("{target} {what}").trim(), MAX_LABEL)
    }

    /// The instruction, as much of it as tells what it is for.
    pub(super) fn why(&self) -> String {
        let is_detail = |word: &&str| {
            let details = ["--mount=", "--network=", "--security="];
            details.iter().any(|detail| word.starts_with(detail))
        };
        let words = self.instruction.split_whitespace();
        let is_run = self.instruction.starts_with("RUN ");
        let words = words.filter(|word| !(is_run && is_detail(word))).map(without_digest);
        cut(&words.collect::<Vec<_>>().join(" "), MAX_WHY)
    }

    /// Whether it loads the build context.
    pub(super) fn is_context(&self) -> bool {
        self.target_of_internal().is_some() && self.instruction.starts_with("load build context")
    }

    /// What stands before `internal`.
    fn target_of_internal(&self) -> Option<&'a str> {
        let target = self.place.strip_suffix("internal")?;
        (target.is_empty() || target.ends_with(' ')).then(|| target.trim())
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An image's name without its digest.
fn without_digest(word: &str) -> &str {
    word.split_once("@sha256:").map_or(word, |(name, _)| name)
}

fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        None => text.to_owned(),
        Some(_) => text.chars().take(length - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_reasons_are_short() {
        for (name, label, why) in [
            ("[img-one cook 2/2] RUN cook", "img-one cook 2/2", "RUN cook"),
            (
                "[img-one linux/amd64 service 3/6] COPY --link app /",
                "img-one linux/amd64 service 3/6",
                "COPY --link app /",
            ),
            (
                "[2/2] RUN --mount=type=cache,target=/a     --network=none cargo \t --locked",
                "2/2",
                "RUN cargo --locked",
            ),
            ("[base 1/1] FROM docker.io/alpine:3@sha256:c2a4", "base 1/1", "FROM docker.io/alpine:3"),
            ("[img-one] exporting to oci image format", "img-one exporting", "exporting to oci image format"),
            ("exporting to image", "exporting", "exporting to image"),
            ("[a internal] load build context", "a context", "load build context"),
            ("[internal] load build context", "context", "load build context"),
            ("[open", "[open", "[open"),
            ("", "", ""),
        ] {
            let parsed = Name::parse(name);
            assert_eq!((parsed.label(), parsed.why()), (label.to_owned(), why.to_owned()), "{name}");
        }
        assert_eq!(Name::parse(&"é ".repeat(100)).why(), format!("{}é…", "é ".repeat(35)));
    }

    #[test]
    fn what_buildkit_does_for_itself_is_known_by_its_place() {
        for (name, expected) in [
            ("[internal] load metadata for docker.io/library/alpine:3.22", true),
            ("[img-one internal] load .dockerignore", true),
            ("[linux/amd64 internal] load metadata", true),
            ("[img-one internal] load build context", false),
            ("[myinternal 1/2] RUN x", false),
            ("[notinternal] exporting", false),
        ] {
            assert_eq!(Name::parse(name).is_internal(), expected, "{name}");
        }
    }
}
