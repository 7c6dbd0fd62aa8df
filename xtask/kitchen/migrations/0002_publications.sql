-- What a task found out besides what it made, as its event has it.
CREATE TABLE findings (
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    topic       TEXT    NOT NULL CHECK (topic IN ('release', 'registry')),
    content     TEXT    NOT NULL,
    PRIMARY KEY (build_id, topic)
) WITHOUT ROWID;

-- What became of the blobs of an image that was pushed or, in a dry run, what would have. Bytes.
CREATE TABLE pushes (
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    -- The image is in images.
    digest      TEXT    NOT NULL,
    backend     TEXT    NOT NULL,
    uploaded    INTEGER NOT NULL,
    mounted     INTEGER NOT NULL,
    present     INTEGER NOT NULL,
    -- How it was compressed instead, where the registry did not take it as it was.
    fallback    TEXT,
    dry_run     INTEGER NOT NULL,
    PRIMARY KEY (build_id, digest)
) WITHOUT ROWID;

CREATE TABLE publications (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    state       TEXT    NOT NULL CHECK (state IN
                    ('preparing', 'ready', 'pushing', 'verifying', 'published', 'failed', 'superseded')),
    -- What was asked for, as JSON.
    selection   TEXT    NOT NULL,
    begun       INTEGER NOT NULL,
    confirmed   INTEGER,
    ended       INTEGER,
    -- The commit and the files that the dry run was made from: nothing else is pushed.
    source      TEXT,
    -- Why it failed.
    problem     TEXT
);
-- One at a time: two would push over each other.
CREATE UNIQUE INDEX publications_open ON publications ((1))
    WHERE state IN ('preparing', 'ready', 'pushing', 'verifying');

CREATE TABLE publication_builds (
    publication_id INTEGER NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    stage          TEXT    NOT NULL CHECK (stage IN ('release', 'registry', 'dry-run', 'push', 'verify')),
    build_id       INTEGER NOT NULL UNIQUE REFERENCES builds (id) ON DELETE CASCADE,
    PRIMARY KEY (publication_id, build_id)
) WITHOUT ROWID;
-- Each stage happens once, a push among them; each image is verified.
CREATE UNIQUE INDEX publication_stages ON publication_builds (publication_id, stage) WHERE stage <> 'verify';
