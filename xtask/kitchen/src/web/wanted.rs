//! Which builds somebody wants to see: the query of a page and of the API.

use serde::Deserialize;

use crate::build::Status;
use crate::store::Filter;

/// The query, as a form sends it: what is not chosen is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// The number of a build.
    pub(super) before: Option<i64>,
    /// The name of a status.
    pub(super) status: String,
    /// Some text.
    pub(super) text: String,
}

impl Wanted {
    /// The status, if it is one in which builds stay.
    pub(super) fn status(&self) -> Option<Status> {
        Status::FINAL.into_iter().find(|status| status.name() == self.status)
    }

    /// The same for the history.
    pub(super) fn filter(&self) -> Filter {
        let text = Some(self.text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        Filter { before: self.before, status: self.status(), text, is_over: false }
    }
}
