//! What the template holds only for cargo-generate, and for the lock files of projects: written by a program.

use std::path::Path;
use std::{env, fs, process};

use anyhow::{Context as _, Result, ensure};

use crate::adopted;
use crate::render::{REPLACEMENTS, template_of};
use crate::tree::{File, Tree};
use crate::{folder, lock, rhai};

/// Writes the files, or says which are out of date.
///
/// # Errors
/// When the template has a mistake, a file cannot be written, or one is out of date and was only to be checked.
pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let mut tree = folder::read(root)?;
    let packed = packed(&mut tree)?;
    let outdated: Vec<_> = packed.iter().filter(|(path, text)| !is_current(root, path, text)).collect();
    if check {
        let paths: Vec<_> = outdated.iter().map(|(path, _)| path.as_str()).collect();
        ensure!(
            paths.is_empty(),
            "{} is not what the template makes of its files; `cargo xtask template pack` renews it",
            paths.join(", ")
        );
        return Ok(());
    }
    for (path, text) in outdated {
        let place = root.join(path);
        fs::create_dir_all(place.parent().unwrap_or(root)).with_context(|| path.clone())?;
        let beside = place.with_extension("new");
        fs::write(&beside, text).and_then(|()| fs::rename(&beside, &place)).with_context(|| path.clone())?;
    }
    Ok(())
}

fn packed(tree: &mut Tree) -> Result<Vec<(String, String)>> {
    let template = template_of(tree)?;
    let work = env::temp_dir().join(format!("template-{}", process::id()));
    let lock = lock::marked(tree, &template, &work);
    let adopted = lock::adopted(tree, &template, &work);
    let _ = fs::remove_dir_all(&work);
    let (lock, place) = (lock?, format!("{REPLACEMENTS}Cargo.lock"));
    tree.insert(place.clone(), File::plain(lock.clone()));
    Ok(vec![
        (place, lock),
        (format!("{}{}", adopted::FILES, adopted::LOCK), adopted?),
        ("template/check.rhai".to_owned(), rhai::check(&template)),
        ("template/generate.rhai".to_owned(), rhai::generate(tree, &template)?),
    ])
}

fn is_current(root: &Path, path: &str, text: &str) -> bool {
    fs::read(root.join(path)).is_ok_and(|bytes| bytes == text.as_bytes())
}
