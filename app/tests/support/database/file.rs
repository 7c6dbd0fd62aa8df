use tempfile::TempDir;

/// Removed when dropped.
pub(super) struct Place(#[expect(dead_code, reason = "only dropped")] TempDir);

pub(super) fn create() -> (String, Place) {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}", folder.path().join("new/folder/app.db").display());
    (url, Place(folder))
}
