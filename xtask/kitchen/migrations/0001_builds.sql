-- Times are in milliseconds since the Unix epoch, UTC; durations in seconds; sizes in bytes.
CREATE TABLE builds (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    origin      TEXT    NOT NULL CHECK (origin IN ('kitchen', 'terminal')),
    status      TEXT    NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'killed', 'interrupted')),
    -- What was asked for, as JSON, so that it can be asked for again.
    request     TEXT    NOT NULL,
    -- The same as one line of shell.
    command     TEXT    NOT NULL,
    -- Where it is in the queue; the lowest is next.
    position    INTEGER,
    queued      INTEGER NOT NULL,
    started     INTEGER,
    finished    INTEGER,
    exit_code   INTEGER,
    failed_step TEXT,
    error       TEXT,
    revision    TEXT,
    branch      TEXT,
    dirty       INTEGER NOT NULL DEFAULT 0,
    -- The leader of its process group. The time of its start tells it from a later process with the same number.
    pid         INTEGER,
    pid_started INTEGER
);
CREATE INDEX builds_by_status ON builds (status, position);

-- Steps, and the vertices within them, which have the name of their step in part_of.
CREATE TABLE steps (
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    part_of     TEXT,
    why         TEXT    NOT NULL,
    -- Since the build began.
    started     REAL    NOT NULL,
    seconds     REAL,
    outcome     TEXT    CHECK (outcome IN ('done', 'cached', 'failed', 'cancelled', 'skipped')),
    PRIMARY KEY (build_id, name)
) WITHOUT ROWID;

-- What cargo compiled; what was there already is only counted, in fresh.
CREATE TABLE crates (
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    step        TEXT    NOT NULL,
    package     TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    target      TEXT,
    kind        TEXT,
    -- Since the build began.
    started     REAL    NOT NULL,
    finished    REAL    NOT NULL,
    outcome     TEXT    NOT NULL
);
CREATE INDEX crates_by_build ON crates (build_id);

CREATE TABLE artifacts (
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    path        TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    sha256      TEXT    NOT NULL,
    PRIMARY KEY (build_id, path)
) WITHOUT ROWID;

-- One row a layer; an image without layers has none.
CREATE TABLE layers (
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    image       TEXT    NOT NULL,
    platform    TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    cached      INTEGER NOT NULL,
    PRIMARY KEY (build_id, image, platform, position)
) WITHOUT ROWID;

CREATE TABLE images (
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    digest      TEXT    NOT NULL,
    -- With blanks between them.
    tags        TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    PRIMARY KEY (build_id, digest)
) WITHOUT ROWID;
