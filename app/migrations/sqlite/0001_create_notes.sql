CREATE TABLE notes (
    -- AUTOINCREMENT: ids are paging cursors, so the id of a deleted note must never come back.
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Named by the ETag: rises by one with each change.
    version    INTEGER NOT NULL DEFAULT 1,
    title      TEXT NOT NULL,
    body       TEXT NOT NULL,
    -- RFC 3339, UTC, milliseconds: sorts as text, and is read by people and machines alike.
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
