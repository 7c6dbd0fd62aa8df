//! A database that is a file.

use app::db::{Db, OpenError};

use super::settings;

#[tokio::test]
async fn a_folder_that_cannot_be_made_or_written_is_named() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/notes/app.db");
    let error = Db::open(&settings(&format!("sqlite://{}", path.display()))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot open the database {}: its folder: Not a directory (os error 20)", path.display())
    );

    // A folder in the place of the file: what is not writable fails the same way, but not for root.
    let error = Db::open(&settings(&format!("sqlite://{}", folder.path().display()))).await.unwrap_err();
    assert!(matches!(error, OpenError::Open { .. }), "{error}");
    assert!(error.to_string().contains("unable to open database file"), "{error}");
}
