-- Times are microseconds since 1970 in UTC; zero is "not yet". What is personal is sealed
-- by the services before it comes here. Lists of allowed words repeat the domain's.

-- +goose Up
CREATE TABLE company (
    id          TEXT PRIMARY KEY,
    revision    BIGINT NOT NULL,
    shortcode   TEXT NOT NULL UNIQUE,
    settings    TEXT NOT NULL,
    key_hashes  TEXT NOT NULL,
    secrets     BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL
);

CREATE TABLE company_revision (
    company_id  TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    settings    TEXT NOT NULL,
    PRIMARY KEY (company_id, revision)
);

-- One row: grows whenever a company is changed, so that every node notices.
CREATE TABLE company_change (
    one         BIGINT PRIMARY KEY CHECK (one = 1),
    number      BIGINT NOT NULL
);
INSERT INTO company_change (one, number) VALUES (1, 1);

CREATE TABLE token (
    hash        BYTEA PRIMARY KEY,
    company_id  TEXT NOT NULL,
    used_at     BIGINT NOT NULL
);
CREATE INDEX token_used ON token (used_at);
CREATE INDEX token_company ON token (company_id);

CREATE TABLE server_key (
    name        TEXT PRIMARY KEY,
    sealed      BYTEA NOT NULL,
    public      TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE identification (
    id               TEXT PRIMARY KEY,
    company_id       TEXT NOT NULL,
    number           TEXT NOT NULL,
    number_fold      TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('CREATED', 'WAITING', 'IN_PROCESS', 'ABORTED', 'REVIEW_PENDING',
                     'FRAUD_SUSPICION_PENDING', 'SUCCESS', 'SUCCESS_DATA_CHANGED', 'FRAUD_SUSPICION_CONFIRMED', 'CANCELED', 'ARCHIVED')),
    list             TEXT NOT NULL CHECK (list IN ('finished', 'pending', 'canceled', 'aborted', 'archived')),
    revision         BIGINT NOT NULL,
    company_revision BIGINT NOT NULL,
    key_id           TEXT NOT NULL,
    sealed           BYTEA NOT NULL,
    attempts         BIGINT NOT NULL,
    result           TEXT NOT NULL,
    previous         TEXT NOT NULL,
    reason           TEXT NOT NULL,
    agent            TEXT NOT NULL,
    channel          TEXT NOT NULL CHECK (channel IN ('WEB', 'APP')),
    file_key         TEXT,
    result_seq       BIGINT NOT NULL,
    next_delivery    BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    changed_at       BIGINT NOT NULL,
    finished_at      BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE UNIQUE INDEX identification_number ON identification (company_id, number_fold);
CREATE UNIQUE INDEX identification_file ON identification (company_id, file_key) WHERE file_key IS NOT NULL;
CREATE INDEX identification_key ON identification (key_id);
CREATE INDEX identification_list ON identification (company_id, list, created_at, id);

-- What is left of a deleted identification. Its Ident-ID is never given again.
CREATE TABLE tombstone (
    id          TEXT PRIMARY KEY,
    company_id  TEXT NOT NULL,
    number      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    deleted_at  BIGINT NOT NULL,
    deleted_by  TEXT NOT NULL
);

CREATE TABLE attempt (
    identification_id TEXT NOT NULL,
    number            BIGINT NOT NULL,
    company_id        TEXT NOT NULL,
    method            TEXT NOT NULL CHECK (method IN ('VIDEO', 'AUTO', 'ROBOT')),
    channel           TEXT NOT NULL CHECK (channel IN ('WEB', 'APP')),
    requested_at      BIGINT NOT NULL,
    taken_at          BIGINT NOT NULL,
    ended_at          BIGINT NOT NULL,
    agent             TEXT NOT NULL,
    outcome           TEXT NOT NULL CHECK (outcome IN ('', 'ABORTED', 'REVIEW_PENDING', 'FRAUD_SUSPICION_PENDING')),
    reason            TEXT NOT NULL,
    PRIMARY KEY (identification_id, number)
);
CREATE UNIQUE INDEX attempt_open ON attempt (identification_id) WHERE ended_at = 0;
CREATE INDEX attempt_taken ON attempt (company_id, taken_at);
CREATE INDEX attempt_waiting ON attempt (company_id) WHERE taken_at = 0 AND ended_at = 0;

CREATE TABLE evidence (
    identification_id TEXT NOT NULL,
    attempt           BIGINT NOT NULL,
    seq               BIGINT NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('reading', 'image', 'recording', 'check', 'code', 'answer')),
    sealed            BYTEA NOT NULL,
    blob              TEXT NOT NULL,
    hash              BYTEA NOT NULL,
    taken_at          BIGINT NOT NULL,
    PRIMARY KEY (identification_id, attempt, seq)
);

-- The agent's verdict and the reviewer's review of an attempt.
CREATE TABLE decision (
    identification_id TEXT NOT NULL,
    attempt           BIGINT NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('verdict', 'review')),
    person            TEXT NOT NULL,
    sealed            BYTEA NOT NULL,
    made_at           BIGINT NOT NULL,
    PRIMARY KEY (identification_id, attempt, kind)
);

-- What was handed out, or may be, at each event; rendered once.
CREATE TABLE result (
    identification_id TEXT NOT NULL,
    seq               BIGINT NOT NULL,
    event             TEXT NOT NULL CHECK (event IN ('REALTIME', 'FINAL', 'ABORTED', 'CANCELED')),
    json              BYTEA NOT NULL,
    xml               BYTEA NOT NULL,
    signature         BYTEA NOT NULL,
    hash              BYTEA NOT NULL,
    archive           TEXT NOT NULL,
    created_at        BIGINT NOT NULL,
    PRIMARY KEY (identification_id, seq)
);

-- A hand-over, planned or done. One that is still to be made is its own job.
CREATE TABLE delivery (
    id                TEXT PRIMARY KEY,
    company_id        TEXT NOT NULL,
    identification_id TEXT NOT NULL,
    lane              TEXT NOT NULL,
    seq               BIGINT NOT NULL,
    event             TEXT NOT NULL CHECK (event IN ('REALTIME', 'FINAL', 'ABORTED', 'CANCELED')),
    result_seq        BIGINT NOT NULL,
    key_id            TEXT NOT NULL,
    target            TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED', 'SUPERSEDED')),
    tries             BIGINT NOT NULL,
    replayed          BIGINT NOT NULL,
    status            BIGINT NOT NULL,
    problem           TEXT NOT NULL,
    hash              BYTEA NOT NULL,
    created_at        BIGINT NOT NULL,
    first_at          BIGINT NOT NULL,
    due_at            BIGINT NOT NULL,
    done_at           BIGINT NOT NULL,
    lease_node        TEXT NOT NULL,
    lease_until       BIGINT NOT NULL
);
CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'PENDING';
CREATE INDEX delivery_lane ON delivery (lane, seq) WHERE state = 'PENDING';
CREATE INDEX delivery_identification ON delivery (identification_id, seq);
CREATE INDEX delivery_company ON delivery (company_id, created_at);

-- Each failed try of a delivery; the successful one stands in the delivery itself.
CREATE TABLE delivery_try (
    delivery_id TEXT NOT NULL,
    number      BIGINT NOT NULL,
    company_id  TEXT NOT NULL,
    at          BIGINT NOT NULL,
    status      BIGINT NOT NULL,
    problem     TEXT NOT NULL,
    took        BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

CREATE TABLE job (
    id                TEXT PRIMARY KEY,
    kind              TEXT NOT NULL,
    lane              TEXT NOT NULL,
    company_id        TEXT NOT NULL,
    identification_id TEXT NOT NULL,
    payload           TEXT NOT NULL,
    tries             BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    due_at            BIGINT NOT NULL,
    lease_node        TEXT NOT NULL,
    lease_until       BIGINT NOT NULL
);
CREATE INDEX job_due ON job (due_at);
CREATE INDEX job_lane ON job (lane, due_at, id);
CREATE INDEX job_identification ON job (identification_id);

CREATE TABLE audit (
    chain       TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    company_id  TEXT NOT NULL,
    at          BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    act         TEXT NOT NULL,
    detail      TEXT NOT NULL,
    hash        BYTEA NOT NULL,
    PRIMARY KEY (chain, seq)
);
