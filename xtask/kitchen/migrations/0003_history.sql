-- Whose choice a build was, as columns: only those of the request that the history is filtered by.
ALTER TABLE builds ADD COLUMN task TEXT AS (coalesce(request ->> '$.task', 'bd'));
ALTER TABLE builds ADD COLUMN engine TEXT AS (request ->> '$.engine');

DROP INDEX builds_by_status;
CREATE INDEX builds_by_position ON builds (status, position);
CREATE INDEX builds_by_status ON builds (status, id);
CREATE INDEX builds_by_branch ON builds (branch, id);

-- For which databases and platforms a build was: those that were asked for, and where none was, those of the project.
CREATE TABLE backends (
    backend     TEXT    NOT NULL,
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    PRIMARY KEY (backend, build_id)
) WITHOUT ROWID;
CREATE INDEX backends_by_build ON backends (build_id);
CREATE TABLE platforms (
    platform    TEXT    NOT NULL,
    build_id    INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    PRIMARY KEY (platform, build_id)
) WITHOUT ROWID;
CREATE INDEX platforms_by_build ON platforms (build_id);
CREATE TRIGGER builds_asked_for AFTER INSERT ON builds BEGIN
    INSERT OR IGNORE INTO backends SELECT value, NEW.id FROM json_each(NEW.request, '$.backends');
    INSERT OR IGNORE INTO platforms SELECT value, NEW.id FROM json_each(NEW.request, '$.platforms');
END;
INSERT OR IGNORE INTO backends SELECT value, builds.id FROM builds, json_each(request, '$.backends');
INSERT OR IGNORE INTO platforms SELECT value, builds.id FROM builds, json_each(request, '$.platforms');

-- How many of its crates were there already.
ALTER TABLE steps ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0;

-- Lock files, each once, however many builds had it.
CREATE TABLE locks (
    id          INTEGER PRIMARY KEY,
    sha256      TEXT    NOT NULL UNIQUE
);
CREATE TABLE packages (
    lock_id     INTEGER NOT NULL REFERENCES locks (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    -- As cargo writes it; empty for a package of the workspace.
    source      TEXT    NOT NULL,
    PRIMARY KEY (lock_id, name, version, source)
) WITHOUT ROWID;
ALTER TABLE builds ADD COLUMN lock_id INTEGER REFERENCES locks (id);
CREATE INDEX builds_by_lock ON builds (lock_id);
CREATE TRIGGER builds_last_of_lock AFTER DELETE ON builds WHEN OLD.lock_id IS NOT NULL BEGIN
    DELETE FROM locks WHERE id = OLD.lock_id AND NOT EXISTS (SELECT 1 FROM builds WHERE lock_id = OLD.lock_id);
END;
