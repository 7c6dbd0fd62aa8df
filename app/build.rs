//! Points sqlx's query macros at the committed query cache of the chosen backend.
//!
//! The cache's file names are hashes of the SQL alone, so every backend needs a folder of its own. With this, an
//! offline build needs no environment, and `DATABASE_URL=… cargo check -p app` renews the same folder.

use std::env;

fn main() {
    for path in [".sqlx", "migrations"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for variable in ["DATABASE_URL", "SQLX_OFFLINE", "SQLX_OFFLINE_DIR"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }

    // Whoever sets the folder wants to compare caches: see that it is left alone.
    if env::var_os("SQLX_OFFLINE_DIR").is_some() {
        return;
    }
    // Without a backend, or with two, `compile_error!` in src/db/mod.rs explains better than a build script could.
    let chosen =
        |backend: &&&str| env::var_os(format!("CARGO_FEATURE_DB_{}", backend.to_uppercase())).is_some();
    if let Some(backend) = ["sqlite", "postgres", "mysql"].iter().find(chosen) {
        let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
        println!("cargo::rustc-env=SQLX_OFFLINE_DIR={root}/.sqlx/{backend}");
    }
}
