# What a build prints that is under way: `cargo` of the made-up project.
event() { printf '{"v":1,"event":%s}\n' "$1"; }
step() { event "\"step-started\",\"step\":\"$1\",\"why\":\"$2\",\"command\":\"$3\""; }
ended() { event "\"step-finished\",\"step\":\"$1\",\"outcome\":\"$2\",\"seconds\":$3"; }
says() { event "\"output\",\"step\":\"$1\",\"line\":\"$2\""; }
green='\u001b[1m\u001b[32m'
off='\u001b[0m'

event '"note","message":"for linux/amd64 and linux/arm64, in the profile dist"'
step packages 'the names of the packages' 'cargo metadata --format-version 1'
ended packages done 0.21
step 'compile sqlite' 'the binary for sqlite' 'cargo build --profile dist --features db_sqlite'
for crate in 'libc v0.2.189' 'serde_core v1.0.234' 'bytes v1.11.0' 'tokio v1.54.1' 'hyper v1.9.0' 'sqlx-sqlite v0.9.0' \
    'axum v0.8.9' 'utoipa v6.0.0'; do
    says 'compile sqlite' "$green   Compiling$off $crate"
done
says 'compile sqlite' '\u001b[1m\u001b[33mwarning\u001b[0m: unused variable: `since`'
says 'compile sqlite' '  \u001b[1m\u001b[34m-->\u001b[0m app/src/notes/list.rs:41:9'
says 'compile sqlite' "$green   Compiling$off app v1.4.0"
says 'compile sqlite' "$green    Finished$off \`dist\` profile [optimized] target(s) in 48.30s"
ended 'compile sqlite' done 48.32
event '"artifact","path":"target/dist/sqlite/x86_64-unknown-linux-musl/app","size":4812304,"sha256":"5a1f0d9be3c74c1f9b0c2f6d7f6a1b0e8d3c5a7e9f1b2d4c6e8a0b2c4d6e8f01"'
step 'compile postgres' 'the binary for postgres' 'cargo build --profile dist --features db_postgres'
for crate in 'whoami v2.1.0' 'stringprep v0.1.5' 'hkdf v0.12.4' 'sqlx-postgres v0.9.0'; do
    says 'compile postgres' "$green   Compiling$off $crate"
done
sleep 600
