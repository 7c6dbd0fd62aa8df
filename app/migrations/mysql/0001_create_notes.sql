CREATE TABLE notes (
    -- InnoDB never gives the id of a deleted note again: ids are paging cursors.
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    -- Named by the ETag: rises by one with each change.
    version    BIGINT NOT NULL DEFAULT 1,
    title      VARCHAR(200) NOT NULL,
    -- TEXT ends one byte short of 64 KiB.
    body       MEDIUMTEXT NOT NULL,
    -- UTC. Not TIMESTAMP: that ends in 2038.
    created_at DATETIME(3) NOT NULL DEFAULT (UTC_TIMESTAMP(3)),
    updated_at DATETIME(3) NOT NULL DEFAULT (UTC_TIMESTAMP(3))
) ENGINE = InnoDB CHARACTER SET utf8mb4;
