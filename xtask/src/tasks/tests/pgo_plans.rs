//! Plans with the cargo profile `pgo`.

use expect_test::expect;
use image_spec::Platform;

use super::{bare_config, check_error, check_plan, check_steps};
use crate::cli::{BuildFlags, EngineFlags, ImageFlags, VerifyFlags};
use crate::config::fixture::config;
use crate::config::{Config, Profile};
use crate::tasks::bdp::{self, Push};
use crate::tasks::{build, verify};

const AMD64: &str = "app-sqlite-x86_64-unknown-linux-musl-0123456789ab-1600000000.profdata";
const ARM64: &str = "app-sqlite-aarch64-unknown-linux-musl-0123456789ab-1600000000.profdata";

fn flags() -> BuildFlags {
    BuildFlags { profile: Some(Profile::Pgo), ..BuildFlags::default() }
}

/// `config` with these profiles.
fn with(config: Config, found: &[&str]) -> Config {
    let mut config = config;
    config.pgo.found = found.iter().map(|name| (*name).to_owned()).collect();
    config
}

/// `config` with llvm-profdata.
fn with_tool(config: Config) -> Config {
    let mut config = config;
    config.host.tools.profdata = Some("/rust/lib/rustlib/x/bin/llvm-profdata".into());
    config
}

#[test]
fn a_profile_that_is_not_there_is_made_first() {
    check_plan(
        build::plan(&with_tool(bare_config()), &flags()),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # trainer: build what puts the service under load, on its first use
            cargo build --locked --message-format=json-render-diagnostics --package xtask-soak

            # instrument: compile a service for linux/amd64 and sqlite that counts what it does
            APP_COMMIT=0123abcd0123 cargo build --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile pgo --target x86_64-unknown-linux-gnu --config 'target.x86_64-unknown-linux-gnu.rustflags=["-C","target-feature=+crt-static","--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]' --config 'target.x86_64-unknown-linux-gnu.rustflags=["-Cprofile-generate"]' --target-dir target/profdata

            # train: have it answer all kinds of requests for a few seconds
            target/debug/xtask-soak train --backend sqlite --program target/profdata/x86_64-unknown-linux-gnu/pgo/app --counts target/profdata/app-sqlite-x86_64-unknown-linux-gnu-0123456789ab-1700000000.profraw

            # merge: make the profile of its counts
            sh -c 'if "$1" merge --output "$3.new" "$2"; then mv "$3.new" "$3" && rm "$2"; else
            echo '\''the llvm-profdata that goes with this Rust: `rustup component add llvm-tools`'\'' >&2; exit 1; fi' merge /rust/lib/rustlib/x/bin/llvm-profdata target/profdata/app-sqlite-x86_64-unknown-linux-gnu-0123456789ab-1700000000.profraw target/profdata/app-sqlite-x86_64-unknown-linux-gnu-0123456789ab-1700000000.profdata

            # compile: compile the service for linux/amd64 and sqlite, static by the host's static C library
            APP_COMMIT=0123abcd0123 cargo build --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile pgo --target x86_64-unknown-linux-gnu --config 'target.x86_64-unknown-linux-gnu.rustflags=["-C","target-feature=+crt-static","--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]' --config 'target.x86_64-unknown-linux-gnu.rustflags=["-Cprofile-use=/galley/target/profdata/app-sqlite-x86_64-unknown-linux-gnu-0123456789ab-1700000000.profdata"]'

            # packages: list what the service for linux/amd64 and sqlite is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-gnu --no-default-features --features db_sqlite >target/packages-sqlite-linux-amd64.json.$$
            mv target/packages-sqlite-linux-amd64.json.$$ target/packages-sqlite-linux-amd64.json

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-gnu/pgo/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn a_profile_that_is_there_is_used_again() {
    let config = with(config(), &[AMD64, ARM64]);
    let platforms = vec![Platform::LinuxAmd64, Platform::LinuxArm64];
    let mut plan = build::plan(&config, &BuildFlags { platforms, ..flags() }).unwrap();
    plan.steps.truncate(2);
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            compile after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile pgo --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"] --config target.aarch64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"] --config target.x86_64-unknown-linux-musl.rustflags=["-Cprofile-use=/galley/target/profdata/app-sqlite-x86_64-unknown-linux-musl-0123456789ab-1600000000.profdata"] --config target.aarch64-unknown-linux-musl.rustflags=["-Cprofile-use=/galley/target/profdata/app-sqlite-aarch64-unknown-linux-musl-0123456789ab-1600000000.profdata"]
        "#]],
    );
}

#[test]
fn each_database_has_a_profile_of_its_own() {
    let backends = vec!["all".to_owned()];
    let plan = build::plan(&with_tool(bare_config()), &BuildFlags { backends, ..flags() }).unwrap();
    let names = plan.steps.iter().map(|step| format!("{} after {}\n", step.name, step.needs.join(", ")));
    expect![[r#"
        engine after 
        trainer after engine
        instrument-sqlite after 
        train-sqlite after trainer, instrument-sqlite
        merge-sqlite after train-sqlite
        compile-sqlite after merge-sqlite
        packages-sqlite after engine
        artifact-sqlite after compile-sqlite, engine, packages-sqlite
        instrument-postgres after artifact-sqlite
        train-postgres after trainer, instrument-postgres
        merge-postgres after train-postgres
        compile-postgres after artifact-sqlite, merge-postgres
        packages-postgres after engine
        artifact-postgres after compile-postgres, engine, packages-postgres
    "#]]
    .assert_eq(&names.collect::<String>());
}

#[test]
fn a_configured_profile_counts_and_another_one_asks_for_nothing() {
    let mut config = with(config(), &[AMD64]);
    config.pipeline.build.profile = Profile::Pgo;
    let has_profile = |flags: &BuildFlags| {
        let plan = build::plan(&config, flags).unwrap();
        assert!(plan.steps.iter().all(|step| step.name != "train"));
        plan.to_string()
            .contains("-Cprofile-use=/galley/target/profdata/app-sqlite-x86_64-unknown-linux-musl-")
    };
    assert!(has_profile(&BuildFlags::default()));
    assert!(!has_profile(&BuildFlags { profile: Some(Profile::Dist), ..BuildFlags::default() }));
}

#[test]
fn what_cannot_be_trained_here_is_said_before_anything_is_compiled() {
    check_error(
        build::plan(&with_tool(config()), &flags()),
        &expect![
            "target/profdata/app-sqlite-x86_64-unknown-linux-musl-0123456789ab-*.profdata is not there, and cargo-zigbuild cannot link the service that makes it: `--linker host` or `--linker musl-gcc` can"
        ],
    );
    check_error(
        build::plan(&bare_config(), &flags()),
        &expect![
            "llvm-profdata is not in the toolchain and is not on PATH, and --profile pgo needs it: `rustup component add llvm-tools`"
        ],
    );
    let both = [Platform::LinuxAmd64, Platform::LinuxArm64];
    let image = ImageFlags { build: flags(), ..ImageFlags::default() };
    let push = |config: &Config| {
        let image = ImageFlags { image: Some("ghcr.io/team/app".parse().unwrap()), ..image.clone() };
        bdp::plan(config, &image, &both, Push::default())
    };
    check_error(
        push(&with(with_tool(config()), &[AMD64])),
        &expect![
            "target/profdata/app-sqlite-aarch64-unknown-linux-musl-0123456789ab-*.profdata is not there, and only a machine for linux/arm64 can make it: bring the one that `cargo xtask build --profile pgo --backend sqlite` makes there, or leave linux/arm64 out by --platform"
        ],
    );
    assert!(push(&with(config(), &[AMD64, ARM64])).is_ok());

    let mut config = with_tool(config());
    config.host.rustflags = Some("-C target-cpu=native".to_owned());
    check_error(
        build::plan(&config, &flags()),
        &expect![
            "RUSTFLAGS is set, and hides the flags of --profile pgo: unset it, or write it as `rustflags` below [target.x86_64-unknown-linux-musl] in .cargo/config.toml"
        ],
    );
}

#[test]
fn verify_builds_with_the_profile_of_the_image() {
    let flags = VerifyFlags {
        build: BuildFlags { platforms: vec![Platform::LinuxAmd64], ..flags() },
        ..VerifyFlags::default()
    };
    check_error(
        verify::plan(&with_tool(config()), &flags),
        &expect![
            "target/profdata/app-sqlite-x86_64-unknown-linux-musl-0123456789ab-*.profdata is not there: only by the profile that it was built with does an image come out the same"
        ],
    );
    let plan = verify::plan(&with(config(), &[AMD64]), &flags).unwrap();
    let compile = plan.steps.iter().find(|step| step.name == "compile").unwrap();
    let expected = format!("[\"-Cprofile-use=/galley/target/profdata/{AMD64}\"]");
    assert!(compile.argv.iter().any(|word| word.ends_with(&expected)), "{:?}", compile.argv);
}

#[test]
fn a_container_has_no_profile() {
    let engine = EngineFlags { engine: Some(crate::config::Engine::Buildkit), ..EngineFlags::default() };
    let flags = ImageFlags { build: flags(), engine, ..ImageFlags::default() };
    let both = [Platform::LinuxAmd64, Platform::LinuxArm64];
    let builds = crate::tasks::engines::builds(&with(config(), &[AMD64]), &flags, &both);
    check_error(
        builds.map(|builds| builds.len()),
        &expect!["--profile pgo is for what this machine compiles; add --packaging prebuilt"],
    );
}
