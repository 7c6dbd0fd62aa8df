//! Which builds somebody wants to see: the query of a page and of the API.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::build::Status;
use crate::store::Filter;

/// The query, as a form sends it: what is not chosen is empty.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Wanted {
    /// The number of a build: only those before it.
    pub(super) before: Option<i64>,
    /// The name of a status.
    pub(super) status: String,
    /// Some text in the command, branch, commit or error, in whatever case.
    pub(super) text: String,
    /// A database.
    pub(super) backend: String,
    /// A platform.
    pub(super) platform: String,
    /// A branch.
    pub(super) branch: String,
    /// A task.
    pub(super) task: String,
}

impl Wanted {
    /// The status, if it is one in which builds stay.
    pub(super) fn status(&self) -> Option<Status> {
        Status::FINAL.into_iter().find(|status| status.name() == self.status)
    }

    /// The same for the history.
    pub(super) fn filter(&self) -> Filter {
        let chosen = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        Filter {
            before: self.before,
            status: self.status(),
            text: chosen(&self.text),
            backend: chosen(&self.backend),
            platform: chosen(&self.platform),
            branch: chosen(&self.branch),
            task: chosen(&self.task),
            is_over: false,
        }
    }

    /// What is chosen but the page, by the names of the query.
    pub(super) fn choices(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("status", &self.status),
            ("text", &self.text),
            ("backend", &self.backend),
            ("platform", &self.platform),
            ("branch", &self.branch),
            ("task", &self.task),
        ];
        all.into_iter().map(|(name, value)| (name, value.as_str())).filter(|(_, value)| !value.is_empty())
    }
}
