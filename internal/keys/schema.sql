-- The same for both databases. A key's place in its batch is the end of its id.
CREATE TABLE IF NOT EXISTS key_store (
    one          BIGINT PRIMARY KEY CHECK (one = 1),
    master_check BYTEA NOT NULL
);

-- On SQLite a row whose id begins with a line is free, see sql.go. All rows are equally
-- long: another column would have to be so too.
CREATE TABLE IF NOT EXISTS identification_key (
    id      TEXT PRIMARY KEY,
    wrapped BYTEA NOT NULL
);

-- A batch stays here until it is known which of its keys are in use.
CREATE TABLE IF NOT EXISTS key_batch (
    id       TEXT PRIMARY KEY,
    size     BIGINT NOT NULL,
    drawn_at BIGINT NOT NULL
);

-- What this store is called: the database that it was used with knows the name, so that a
-- store that was lost, or is another one, is not taken for one whose keys were destroyed.
CREATE TABLE IF NOT EXISTS identity (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL
);

-- The newest checkpoint of the audit trail: one row, written in place.
CREATE TABLE IF NOT EXISTS mark (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    number BIGINT NOT NULL,
    hash   BYTEA NOT NULL
);

-- The newest batch that was ever drawn, also when nothing of it is left: one row, written in
-- place. What a later one drew, this store, or the backup that it is, has never known.
CREATE TABLE IF NOT EXISTS newest (
    one   BIGINT PRIMARY KEY CHECK (one = 1),
    batch TEXT NOT NULL
);
