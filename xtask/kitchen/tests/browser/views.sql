-- Some days of a team: builds of every kind, and a publication that waits for its confirmation. Numbers 1 to 48.
CREATE TEMP TABLE numbers AS
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 48) SELECT n FROM numbers;

-- Most are images for all databases; some are for one, some only binaries, some the gate, some from a terminal.
CREATE TEMP TABLE kinds AS
SELECT n,
    CASE WHEN n % 11 = 5 THEN 'check' WHEN n % 9 = 4 THEN 'build' ELSE 'bd' END AS task,
    CASE n % 5 WHEN 1 THEN '["sqlite"]' WHEN 3 THEN '["postgres"]' ELSE '["sqlite","postgres"]' END AS backends,
    iif(n % 7 = 3, 'terminal', 'kitchen') AS origin,
    CASE WHEN n IN (14, 29, 44) THEN 'failed' WHEN n IN (22, 41) THEN 'killed' WHEN n = 33 THEN 'interrupted' ELSE 'done' END AS status,
    iif(n % 4 = 2, 'feature/search', 'main') AS branch,
    -- Faster since the cache of dependencies, slower again with more of them.
    40000 - iif(n > 17, 14000, 0) + n * 190 + (n * 7919) % 5200 AS took
FROM numbers;
INSERT INTO builds (id, origin, status, request, command, queued, started, finished, exit_code, failed_step, error, revision, branch, dirty)
SELECT n, origin, status, json_object('task', task, 'backends', json(backends), 'profile', 'dist'),
    'cargo xtask ' || task || ' --backend=' || replace(trim(replace(backends, '"', ''), '[]'), ' ', '') || ' --profile=dist',
    1792000000000 + n * 5400000, 1792000000400 + n * 5400000, 1792000000400 + n * 5400000 + iif(status = 'done', took, took / 3),
    CASE status WHEN 'done' THEN 0 WHEN 'failed' THEN 101 END, iif(status = 'failed', 'compile postgres', NULL),
    iif(status = 'failed', 'the step compile postgres failed: cargo build --profile dist ended with 101', NULL),
    printf('%08x', n * 2654435761 % 4294967296) || 'b7c4d1e8f09a2b3c4d5e6f708192a3b4', branch, n % 6 = 2
FROM kinds;

CREATE TEMP TABLE parts (name, why, start, share, outcome, fresh);
INSERT INTO parts VALUES
    ('packages', 'the names of the packages', 0.0, 0.01, 'done', 0),
    ('compile sqlite', 'the binary for sqlite', 0.01, 0.42, 'done', 171),
    ('compile postgres', 'the binary for postgres', 0.43, 0.38, 'done', 188),
    ('strip', 'symbols into files of their own', 0.81, 0.05, 'done', 0),
    ('base', 'the image below', 0.01, 0.07, 'cached', 0),
    ('layers', 'the files of each image', 0.86, 0.09, 'done', 0),
    ('image', 'the image in the local store', 0.95, 0.05, 'done', 0);
INSERT INTO steps (build_id, name, why, started, seconds, outcome, fresh)
SELECT n, name, why, start * took / 1000.0, (share * took + (n * 131 + start * 9000) % 700) / 1000.0,
    CASE WHEN status = 'failed' AND name = 'compile postgres' THEN 'failed' WHEN status <> 'done' AND start > 0.4 THEN NULL ELSE outcome END, fresh
FROM kinds, parts WHERE status = 'done' OR start < 0.5;

CREATE TEMP TABLE units (k, package, version, kind);
INSERT INTO units VALUES
    (0, 'libc', '0.2.189', 'run-custom-build'), (1, 'proc-macro2', '1.0.103', 'lib'), (2, 'serde_core', '1.0.234', 'lib'),
    (3, 'serde_derive', '1.0.234', 'proc-macro'), (4, 'tokio', '1.54.1', 'lib'), (5, 'tokio-macros', '2.6.1', 'proc-macro'),
    (6, 'hyper', '1.9.0', 'lib'), (7, 'libsqlite3-sys', '0.35.0', 'run-custom-build'), (8, 'sqlx-core', '0.9.0', 'lib'),
    (9, 'sqlx-sqlite', '0.9.0', 'lib'), (10, 'axum', '0.8.9', 'lib'), (11, 'utoipa', '6.0.0', 'lib'), (12, 'app', '1.4.0', 'bin');
INSERT INTO crates
SELECT n, step.name, package, iif(package = 'tokio' AND n > 40, '1.54.1', version), replace(package, '-', '_'), kind,
    step.started + k * step.seconds / 15, step.started + min(step.seconds, (k + 1.5 + k * 37 % 5 * 0.7) * step.seconds / 15), 'done'
FROM kinds JOIN steps AS step ON step.build_id = n AND step.name LIKE 'compile %' AND step.outcome = 'done' JOIN units;

INSERT INTO artifacts
SELECT n, 'target/dist/' || backend || '/x86_64-unknown-linux-musl/app', 4700000 + n * 3100 + (n * 31) % 9000 + length(backend) * 21000,
    printf('%08x', n * 40503 % 65536 * 65521) || '9be3c74c1f9b0c2f6d7f6a1b0e8d3c5a7e9f1b2d4c6e8a0b2c4d6e8f'
FROM kinds JOIN backends ON build_id = n WHERE status = 'done' AND task <> 'check';
INSERT INTO images
SELECT n, 'sha256:' || printf('%08x', n * 2654435761 % 4294967296) || length(backend) || '7d2c91e4b8f35a60c1d7e9428b0f36a5c7d9e1f20b4a6c8d0e2f4a6b8c0d2e4f',
    'galley:' || backend || ' galley:1.4.0-' || backend, 2140000 + n * 1700 + length(backend) * 9000
FROM kinds JOIN backends ON build_id = n WHERE status = 'done' AND task = 'bd';
INSERT INTO layers
SELECT n, images.digest, 'linux/amd64', place, json_extract('["base","files","binary"]', '$[' || place || ']'),
    'sha256:' || printf('%08x', (n * 7 + place) * 2654435761 % 4294967296) || 'e4b8f35a60c1d7e9428b0f36a5c7d9e1f20b4a6c8d0e2f4a6b8c0d2e',
    iif(place = 2, images.size - 61300, 20300 * place + 10200), place < 2
FROM kinds JOIN images ON build_id = n, (SELECT 0 AS place UNION ALL SELECT 1 UNION ALL SELECT 2);

INSERT INTO locks VALUES (1, 'aa'), (2, 'bb');
INSERT INTO packages SELECT lock, package, version, 'registry+https://github.com/rust-lang/crates.io-index'
FROM units, (SELECT 1 AS lock UNION ALL SELECT 2) WHERE k <> 12 AND (lock = 2 OR package <> 'utoipa') AND (lock = 1 OR package <> 'tokio');
INSERT INTO packages VALUES (2, 'tokio', '1.54.2', 'registry+https://github.com/rust-lang/crates.io-index');
UPDATE builds SET lock_id = 1 + (id > 40);

-- The publication: what its builds found out.
INSERT INTO publications VALUES (1, 'ready', '{"backends":["sqlite","postgres"]}', 1792264000000, NULL, NULL, NULL, NULL);
UPDATE builds SET command = 'cargo xtask release', request = '{"task":"release"}' WHERE id = 46;
UPDATE builds SET command = 'cargo xtask registry check', request = '{"task":"registry"}' WHERE id = 47;
UPDATE builds SET command = 'cargo xtask bdp --backend=sqlite,postgres --dry-run', dirty = 0, branch = 'main',
    request = '{"task":"bdp","backends":["sqlite","postgres"],"dry_run":true}' WHERE id = 48;
DELETE FROM images WHERE build_id > 45;
DELETE FROM layers WHERE build_id > 45;
DELETE FROM artifacts WHERE build_id > 45;
INSERT INTO publication_builds VALUES (1, 'release', 46), (1, 'registry', 47), (1, 'dry-run', 48);
INSERT INTO findings VALUES
    (46, 'release', json('{"last":"1.3.2","current":"1.4.0","next":null,"why":"1.4.0 is in Cargo.toml, and has no tag yet","warnings":[],
        "obstacles":["the branch is behind origin/main by 1 commit"],"changes":[
        {"commit":"7f3a91c02b7c4d1e8f09","subject":"Search notes by their words","reason":"minor: a new capability"},
        {"commit":"2c81e5d9bb7c4d1e8f09","subject":"Keep a connection for each worker","reason":"patch: a repair"},
        {"commit":"e04b6d1a7b7c4d1e8f09","subject":"Say which migration failed","reason":"patch: a repair"}]}')),
    (47, 'registry', json('{"repository":"ghcr.io/acme/galley","registry":"ghcr.io","credentials":"password","account":"acme-bot",
        "found_in":"~/.docker/config.json","problem":null,"features":[
        {"feature":"mounts layers of another repository","refusal":null,"advice":""},
        {"feature":"layers in zstd","refusal":null,"advice":""},
        {"feature":"referrers","refusal":"404 Not Found","advice":"attestations are found by their tag instead"}]}'));
INSERT INTO images SELECT 48, 'sha256:' || printf('%08x', length(value) * 2654435761 % 4294967296) || 'a17d2c91e4b8f35a60c1d7e9428b0f36a5c7d9e1f20b4a6c8d0e2f4a',
    'ghcr.io/acme/galley:' || value || ' ghcr.io/acme/galley:1.4.0-' || value, 2221000 + length(value) * 9000 FROM json_each('["sqlite","postgres"]');
INSERT INTO pushes SELECT 48, digest, iif(tags LIKE '%sqlite%', 'sqlite', 'postgres'), size - 61300, 0, 61300, NULL, 1 FROM images WHERE build_id = 48;
DROP TABLE units;
DROP TABLE parts;
DROP TABLE kinds;
DROP TABLE numbers;
