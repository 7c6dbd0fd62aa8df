//! Sees that one backend is chosen, and points sqlx's query macros at its committed query cache.
//!
//! The cache's file names are hashes of the SQL alone, so every backend needs a folder of its own. With this, an
//! offline build needs no environment, and `DATABASE_URL=… cargo check -p app` renews the same folder.

use std::env;

// template: line const BACKENDS: &[&str] = &[{backends}];
const BACKENDS: &[&str] = &["sqlite", "postgres", "mysql"];

fn main() {
    for path in [".sqlx", "migrations"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for variable in ["DATABASE_URL", "SQLX_OFFLINE", "SQLX_OFFLINE_DIR"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }

    let chosen =
        |backend: &&&str| env::var_os(format!("CARGO_FEATURE_DB_{}", backend.to_uppercase())).is_some();
    let chosen: Vec<_> = BACKENDS.iter().filter(chosen).collect();
    let [backend] = chosen.as_slice() else {
        let features = BACKENDS.iter().map(|backend| format!("db_{backend}")).collect::<Vec<_>>().join(", ");
        println!("cargo::error=exactly one of the features {features} is needed, such as");
        println!("cargo::error=--no-default-features --features db_{}", BACKENDS[BACKENDS.len() - 1]);
        return;
    };
    // Whoever sets the folder wants to compare caches: see that it is left alone.
    if env::var_os("SQLX_OFFLINE_DIR").is_none() {
        let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
        println!("cargo::rustc-env=SQLX_OFFLINE_DIR={root}/.sqlx/{backend}");
    }
}
