CREATE TABLE notes (
    -- An identity never gives the id of a deleted note again: ids are paging cursors.
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Named by the ETag: rises by one with each change.
    version    bigint NOT NULL DEFAULT 1,
    title      text NOT NULL,
    body       text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
