//! Entity tags: a note's version as `ETag`, and the conditions that clients put on it (RFC 9110, sections 8.8 and 13).
//!
//! The tag is strong, since it changes with every change. A proxy that compresses makes it weak (`W/"3"`); it names the
//! same version all the same, so weak tags are taken for strong ones.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use utoipa::IntoParams;

use super::problem::Problem;

macro_rules! header_parameter {
    ($type:ident, $name:literal, $required:literal, $description:literal) => {
        #[doc = concat!("`", $name, "` in the API's description.")]
        #[derive(IntoParams)]
        #[into_params(parameter_in = Header)]
        #[expect(dead_code, reason = "for the description only")]
        pub(super) struct $type {
            #[doc = $description]
            #[param(rename = $name, required = $required, pattern = r#"^(\*|(W/)?"[^"]*"(, ?(W/)?"[^"]*")*)$"#)]
            tags: String,
        }
    };
}
header_parameter!(IfMatch, "if-match", false, "The ETag as you read it, or *");
header_parameter!(IfMatchRequired, "if-match", true, "The ETag as you read it, or * for any");
header_parameter!(IfNoneMatch, "if-none-match", false, "The ETag of what you have");

/// The tag of a version.
pub(super) fn of(version: i64) -> HeaderValue {
    // Digits and quotes are valid in any header.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(const { HeaderValue::from_static("") })
}

/// Which versions a client means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// `*`
    Any,
    /// These; tags that no version ever had are left out.
    Only(Vec<i64>),
}

impl Versions {
    /// Reads `If-Match` or `If-None-Match`; none when the header is not there.
    ///
    /// # Errors
    /// When the header is not a list of tags.
    pub(super) fn from(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, Problem> {
        let mut versions = Vec::new();
        let mut values = headers.get_all(name).into_iter().peekable();
        if values.peek().is_none() {
            return Ok(None);
        }
        for value in values {
            let text = value.to_str().unwrap_or_default().trim();
            if text == "*" {
                return Ok(Some(Self::Any));
            }
            // Between quotes stand the tags, which may hold commas; around them, what separates them.
            let (mut tags, mut separators) = (Vec::new(), Vec::new());
            for (index, part) in text.split('"').enumerate() {
                if index % 2 == 1 { &mut tags } else { &mut separators }.push(part);
            }
            let is_separator =
                |text: &&str| matches!(text.replace(' ', "").as_str(), "" | "," | "W/" | ",W/");
            if tags.is_empty() || separators.len() != tags.len() + 1 || !separators.iter().all(is_separator) {
                let detail = format!("{name}: must be * or a list of tags, such as \"3\"");
                return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
            }
            versions.extend(tags.iter().filter_map(|tag| tag.parse::<i64>().ok()));
        }
        Ok(Some(Self::Only(versions)))
    }

    /// Whether this version is meant.
    pub(super) fn contain(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Only(versions) => versions.contains(&version),
        }
    }
}

/// The note has another version than the client thinks.
pub(super) fn outdated() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "the note has changed: read it again, then send its new ETag",
    )
}

/// Nobody may replace what they have not read.
pub(super) fn required() -> Problem {
    let detail = "If-Match: must have the ETag of the note as you read it, or * to replace whatever is there";
    Problem::new(StatusCode::PRECONDITION_REQUIRED, detail)
}

/// `If-None-Match` of a read: whether the client has this version already.
///
/// # Errors
/// When the header is not a list of tags.
pub(super) fn is_known(headers: &HeaderMap, version: i64) -> Result<bool, Problem> {
    let known = Versions::from(headers, &header::IF_NONE_MATCH)?;
    Ok(known.is_some_and(|versions| versions.contain(version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tags_name_versions() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_MATCH, HeaderValue::from_static(value));
            }
            Versions::from(&headers, &header::IF_MATCH)
        };
        let only = |versions: &[i64]| Some(Versions::Only(versions.to_vec()));
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&["*"]).unwrap(), Some(Versions::Any));
        assert_eq!(read(&["\"3\""]).unwrap(), only(&[3]));
        assert_eq!(read(&["W/\"3\", \"4\"", "\"5\""]).unwrap(), only(&[3, 4, 5]));
        assert_eq!(read(&["\"abc\", \"a,3\""]).unwrap(), only(&[]));
        for wrong in ["", "3", "\"3", "W/3", "\"3\" or \"4\""] {
            assert!(read(&[wrong]).is_err(), "{wrong}");
        }
    }
}
