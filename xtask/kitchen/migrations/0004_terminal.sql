-- Of a build that was started in a terminal: what was typed after `cargo xtask`, as JSON. Where no request means the same,
-- the request has nothing but the task.
ALTER TABLE builds ADD COLUMN words TEXT;
-- The name of its record, while that is there.
ALTER TABLE builds ADD COLUMN record TEXT;
CREATE UNIQUE INDEX builds_by_record ON builds (record) WHERE record IS NOT NULL;
-- What is as old as can be goes first.
CREATE INDEX builds_by_end ON builds (finished);
