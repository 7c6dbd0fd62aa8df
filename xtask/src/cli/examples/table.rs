//! The examples themselves.

use super::Example;

/// A task, and two to four examples of it. A task of its own, such as `create` of `builder`, has those that begin with it.
pub(super) const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "build",
        &[
            ("build", "for this machine and the first database"),
            ("build --backend all", "a binary for each database"),
            ("build --platform linux/amd64,linux/arm64", "for both, by cargo-zigbuild"),
            ("build --profile dist --upx", "smaller, for what is shipped"),
        ],
    ),
    (
        "bd",
        &[
            ("bd", "an image for this machine, loaded where containers run"),
            // template: line ("bd --backend {backend} --tag next", "for this database, with a further tag"),
            ("bd --backend sqlite --tag next", "for this database, with a further tag"),
            ("bd --output oci,dest=/tmp/app.tar", "only an archive, for docker, podman or skopeo"),
            ("bd --engine buildkit --dry-run", "what BuildKit would be told"),
        ],
    ),
    (
        "up",
        &[
            ("up", "the service and its database, on port 8080"),
            // template: line ("up --backend {backend}", "with this one; `cargo xtask down` ends both"),
            ("up --backend sqlite", "with this one; `cargo xtask down` ends both"),
        ],
    ),
    ("down", &[("down", "ends it, and keeps its data"), ("down --volumes", "deletes its data as well")]),
    (
        "bdp",
        &[
            ("bdp --image ghcr.io/team/app", "every platform, pushed to a registry"),
            ("bdp --image ghcr.io/team/app --dry-run", "builds, and says what a push would upload"),
            ("bdp --image ghcr.io/team/app --sign=cosign.key", "signed with a key"),
        ],
    ),
    (
        "bake",
        &[
            ("bake > target/x.json", "for `docker buildx bake --file target/x.json`"),
            ("bake --packaging prebuilt", "with binaries that this machine compiles"),
        ],
    ),
    (
        "verify",
        &[
            ("verify ghcr.io/team/app:0.1.0", "looks at it, builds it again and compares"),
            ("verify ghcr.io/team/app:0.1.0 --no-rebuild", "only looks at it"),
        ],
    ),
    (
        "scan",
        &[
            ("scan", "builds the image, and fails for what is high or critical"),
            ("scan --fail-on critical", "fails only for what is critical"),
            ("scan ghcr.io/team/app:0.1.0", "an image that was pushed"),
        ],
    ),
    (
        "registry",
        &[
            ("registry check ghcr.io/team/app", "pushes something small there, and says what works"),
            ("registry check localhost:5000/app", "a registry on this machine"),
        ],
    ),
    (
        "builder",
        &[
            ("builder create", "makes it, or makes it anew where its settings have changed"),
            ("builder bootstrap", "the same, and starts its daemons"),
            ("builder status", "its nodes, and what their caches hold"),
            ("builder remove", "takes it away with its cache"),
        ],
    ),
    ("pin", &[("pin", "renews config/images.lock"), ("pin --dry-run", "which images it would look up")]),
    (
        "check",
        &[
            ("check", "the gate; what has passed is left out"),
            ("check --only clippy,test-pipeline", "all lints, and the pipeline's own tests"),
            ("check --since origin/main --keep-going", "what the branch can affect, and every failure of it"),
            ("check --fix", "repairs format, lints and query cache first"),
        ],
    ),
    (
        "sqlx",
        &[
            ("sqlx prepare", "after a change of SQL or migrations"),
            // template: line ("sqlx prepare --backend {backend}", "for one database"),
            ("sqlx prepare --backend sqlite", "for one database"),
            ("sqlx check", "whether that is needed"),
        ],
    ),
    // template: if is_template
    (
        "init",
        &[
            ("init", "asks its name, its databases, and more"),
            ("init --name shop --define backends=postgres --silent", "the rest is the default"),
        ],
    ),
    (
        "adopt",
        &[
            ("adopt ../shop --dry-run", "what it finds there, and what it would add"),
            ("adopt ../shop --package shop-server --port 3000", "shows that, and asks before it does it"),
        ],
    ),
    // template: end
    (
        "template",
        &[
            ("template update", "merges the highest version; `git diff --cached` shows it"),
            ("template update --check", "whether that is needed; the exit code is 1 if so"),
            ("template diff", "what was changed in files of the template, and by whom"),
            // template: if is_template
            ("template pack", "after a change to a file with marks, or to Cargo.lock"),
            // template: end
        ],
    ),
    // template: if pipeline_tests
    (
        "soak",
        &[
            ("soak", "everything, about half an hour; needs wrk or oha"),
            ("soak read term --backend postgres", "two scenarios, with PostgreSQL"),
            ("soak health --rounds 1 --seconds 2", "a first impression"),
        ],
    ),
    (
        "bench",
        &[
            ("bench --quick", "a few minutes: galley beside cargo"),
            ("bench edit push --peer chef,mounts", "two scenarios, with two peers"),
            ("bench edit --peer chef --profile same", "with the service's own profile for all"),
            ("bench --quick --against origin/main", "fails where that one was better beside cargo"),
        ],
    ),
    // template: end
    (
        "release",
        &[
            ("release", "the next version, why, and what would be written"),
            ("release --execute", "writes CHANGELOG.md and the version, commits and tags"),
            ("release --undo", "takes that back, before it is pushed"),
            ("release --version 1.0.0 --offline", "another version, without asking remotes and the registry"),
        ],
    ),
    (
        "clean",
        &[
            ("clean", "shows what takes space, and removes nothing"),
            ("clean --older-than 14d", "what no build has used for two weeks"),
            ("clean --keep 10GB --dry-run", "what would go, so that 10 GB are left"),
        ],
    ),
    (
        "watch",
        &[
            ("watch", "after each save: lints, tests, image, container"),
            // template: line ("watch --backend {backend} --run process", "without containers"),
            ("watch --backend sqlite --run process", "without containers"),
        ],
    ),
    // template: if kitchen
    (
        "kitchen",
        &[
            ("kitchen --open", "opens it in a browser"),
            ("kitchen builds", "what runs there, waits and was"),
            ("kitchen logs 7", "what build 7 has printed"),
            ("kitchen kill 7", "ends build 7"),
            ("kitchen export >builds.jsonl", "the whole history as JSON"),
        ],
    ),
    // template: end
    (
        "hooks",
        &[
            ("hooks install", "`git push` runs the gate for what it pushes"),
            ("hooks remove", "takes only that hook away"),
        ],
    ),
    (
        "doctor",
        &[
            ("doctor", "what is there, and the line that installs what is not"),
            ("doctor --for check --format json", "what the gate lacks, for a program"),
        ],
    ),
    (
        "setup",
        &[
            ("setup --for check", "shows what it would install for the gate, and asks"),
            ("setup --for check --yes --system", "does not ask, and installs the system's packages as well"),
        ],
    ),
    (
        "ci",
        &[
            ("ci matrix", "the jobs that follow from config/pipeline.toml"),
            ("ci matrix --name matrix", "the same as the output of a step: >> \"$GITHUB_OUTPUT\""),
        ],
    ),
    (
        "completions",
        &[
            ("completions bash > ~/.xtask.bash", "in ~/.bashrc: . ~/.xtask.bash"),
            ("completions zsh > ~/.zfunc/_cargo-xtask", "before compinit: fpath+=~/.zfunc"),
            ("completions fish > ~/.config/fish/conf.d/cargo-xtask.fish", "that is all"),
        ],
    ),
    (
        "man",
        &[
            ("man ~/.local/share/man/man1", "where `man cargo-xtask-bd` finds them"),
            ("man target/man", "to look at: `man -l target/man/cargo-xtask.1`"),
        ],
    ),
];
