-- 10,000 builds with all that is told of them, of a project that has two databases. The last one is large.
CREATE TEMP TABLE numbers AS
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000) SELECT n FROM numbers;

INSERT INTO builds (id, origin, status, request, command, queued, started, finished, exit_code, error, revision, branch, dirty)
SELECT n, 'kitchen',
    CASE WHEN n % 10 = 0 THEN 'failed' WHEN n % 37 = 0 THEN 'killed' ELSE 'done' END,
    json_object('task', iif(n % 4 = 1, 'bdp', iif(n % 4 = 3, 'build', 'bd')), 'backends', json_array(iif(n % 3, 'one', 'two'))),
    'cargo xtask ' || iif(n % 4 = 1, 'bdp', iif(n % 4 = 3, 'build', 'bd')) || ' --backend=' || iif(n % 3, 'one', 'two'),
    1750000000000 + n * 600000, 1750000000100 + n * 600000,
    1750000000100 + n * 600000 + 4000 + (n * 7919) % 3000 + iif(n % 4 = 1, 21000, 0) + n / 2 + iif(n % 41 = 0, 30000, 0),
    iif(n % 10 = 0, 101, 0), iif(n % 10 = 0, 'the disk is full', NULL), printf('%040x', n * 2654435761),
    iif(n = 7, 'only-once', iif(n % 5, 'main', 'feature-' || (n % 20))), n % 6 = 0
FROM numbers;

CREATE TEMP TABLE names AS
SELECT value AS name, key AS place FROM json_each('["packages","compile","binary","bake","bake: img cook 1/2","bake: img cook 2/2"]');
INSERT INTO steps (build_id, name, part_of, why, started, seconds, outcome, fresh)
SELECT n, name, iif(place > 3, 'bake', NULL), 'what ' || name || ' is for', place * 0.7,
    0.5 + ((n + place) * 104729) % 400 / 200.0, iif(place = 4, 'cached', iif(place = 3 AND n % 10 = 0, 'failed', 'done')), place * 30
FROM numbers, names;

INSERT INTO crates
SELECT n, 'compile', 'crate-' || place || '-' || k, '1.' || place || '.0', 'crate_' || place, iif(place % 2, 'lib', 'proc-macro'),
    0.7 + (place * 3 + k) / 12.0, 0.9 + (place * 3 + k) / 8.0, 'done'
FROM numbers, names, (SELECT 0 AS k UNION ALL SELECT 1 UNION ALL SELECT 2);

INSERT INTO artifacts
SELECT n, 'target/dist/one/x86_64-unknown-linux-musl/app', 4700000 + n * 60 + (n * 31) % 9000, printf('%064x', n) FROM numbers;
INSERT INTO images SELECT n, printf('sha256:%064x', n), 'galley:one galley:one-' || n, 5300000 + n * 60 FROM numbers WHERE n % 4 <> 3;
INSERT INTO layers
SELECT n, printf('sha256:%064x', n), 'linux/amd64', place, json_extract('["base","files","binary"]', '$[' || place || ']'),
    printf('sha256:%064x', n * 10 + place), iif(place = 2, 4700000 + n * 55 + (n * 31) % 9000, 20000 * (place + 1)), place < 2
FROM numbers, (SELECT 0 AS place UNION ALL SELECT 1 UNION ALL SELECT 2) WHERE n % 4 <> 3;

INSERT INTO locks VALUES (1, 'aa'), (2, 'bb');
INSERT INTO packages SELECT 1 + (n > 350), 'crate-' || (n % 350), '1.' || (n / 360) || '.0', 'registry+https://github.com/rust-lang/crates.io-index'
FROM numbers WHERE n <= 700;
UPDATE builds SET lock_id = 1 + (id > 5000);

-- 60 steps and 500 crates.
INSERT INTO steps (build_id, name, why, started, seconds, outcome)
SELECT 10000, 'step-' || n, 'one of many', n / 10.0, 1.0 + n % 7, 'done' FROM numbers WHERE n <= 54;
INSERT INTO crates
SELECT 10000, 'compile', 'package-' || n, '0.' || n || '.1', 'package_' || n,
    json_extract('["lib","lib","proc-macro","run-custom-build","bin","test"]', '$[' || (n % 6) || ']'),
    0.7 + n / 70.0, 0.75 + n / 70.0 + (n * 7) % 50 / 25.0, 'done'
FROM numbers WHERE n <= 482;
DROP TABLE names;
DROP TABLE numbers;
