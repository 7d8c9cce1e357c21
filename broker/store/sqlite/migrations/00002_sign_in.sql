-- Schema 2: what a sign-in leaves behind. Hashes are SHA-256, see store.Hash; handles themselves are stored nowhere.

-- +goose Up

-- hash: see store.PendingHash. seq orders the things of a kind by age.
CREATE TABLE pendings (
    seq   INTEGER NOT NULL PRIMARY KEY,
    hash  BLOB    NOT NULL UNIQUE,
    kind  TEXT    NOT NULL,
    value BLOB    NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX pendings_kind ON pendings (kind);
CREATE INDEX pendings_until ON pendings (until);

-- How many pendings there are of each kind: counting them anew for every one would cost more than storing it.
CREATE TABLE pending_counts (
    kind TEXT    NOT NULL PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER pendings_added AFTER INSERT ON pendings BEGIN
    INSERT INTO pending_counts (kind, n) VALUES (new.kind, 1) ON CONFLICT (kind) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER pendings_gone AFTER DELETE ON pendings BEGIN
    UPDATE pending_counts SET n = n - 1 WHERE kind = old.kind;
END;
-- +goose StatementEnd

-- family: what the code was redeemed for; NULL = it was not.
CREATE TABLE codes (
    hash    BLOB    NOT NULL PRIMARY KEY,
    value   BLOB,
    session TEXT    NOT NULL,
    until   INTEGER NOT NULL,
    family  TEXT
) STRICT;

CREATE INDEX codes_open ON codes (session) WHERE family IS NULL;
CREATE INDEX codes_until ON codes (until);
CREATE INDEX codes_open_until ON codes (until) WHERE family IS NULL;

-- ended: NULL = it lives, up to until.
CREATE TABLE families (
    id      TEXT    NOT NULL PRIMARY KEY,
    session TEXT    NOT NULL,
    client  TEXT    NOT NULL,
    trust   TEXT    NOT NULL,
    sub     TEXT    NOT NULL,
    sid     TEXT    NOT NULL,
    subject BLOB,
    created INTEGER,
    until   INTEGER NOT NULL,
    ended   INTEGER,
    why     TEXT    NOT NULL
) STRICT;

CREATE INDEX families_session ON families (session);
CREATE INDEX families_sub ON families (sub, client);
CREATE INDEX families_trust ON families (trust, sub);
CREATE INDEX families_client ON families (client);
CREATE INDEX families_over ON families (coalesce(ended, until));

-- next, rotated, grace (microseconds), answer: of the first rotation; NULL = there was none, or the answer is not kept (any more).
-- prev: whom the token succeeded.
CREATE TABLE refresh (
    hash    BLOB    NOT NULL PRIMARY KEY,
    family  TEXT    NOT NULL,
    until   INTEGER NOT NULL,
    prev    BLOB,
    next    BLOB,
    rotated INTEGER,
    grace   INTEGER,
    answer  BLOB
) STRICT;

CREATE INDEX refresh_family ON refresh (family);
CREATE INDEX refresh_until ON refresh (until);
CREATE INDEX refresh_answer ON refresh (rotated + grace) WHERE answer IS NOT NULL;

CREATE TABLE sessions (
    id         TEXT    NOT NULL PRIMARY KEY,
    cookie     BLOB    NOT NULL UNIQUE,
    created    INTEGER,
    seen       INTEGER,
    idle_until INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    agent      TEXT    NOT NULL,
    remote     TEXT    NOT NULL
) STRICT;

CREATE INDEX sessions_until ON sessions (until);

CREATE TABLE identities (
    session   TEXT    NOT NULL,
    trust     TEXT    NOT NULL,
    sub       TEXT    NOT NULL,
    sid       TEXT    NOT NULL,
    auth_time INTEGER,
    signed_in INTEGER,
    until     INTEGER NOT NULL,
    value     BLOB,
    PRIMARY KEY (session, trust)
) STRICT;

CREATE INDEX identities_trust ON identities (trust, sub);
CREATE INDEX identities_sid ON identities (sid, trust) WHERE sid <> '';
CREATE INDEX identities_sub ON identities (sub);

-- scopes: JSON, API ID → scopes.
CREATE TABLE consents (
    sub    TEXT    NOT NULL,
    client TEXT    NOT NULL,
    scopes TEXT    NOT NULL,
    given  INTEGER,
    PRIMARY KEY (sub, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE opaque (
    hash   BLOB    NOT NULL PRIMARY KEY,
    family TEXT    NOT NULL,
    claims BLOB,
    until  INTEGER NOT NULL
) STRICT;

CREATE INDEX opaque_until ON opaque (until);

CREATE TABLE revoked (
    jti   TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX revoked_until ON revoked (until);

-- next_at: the zero time is a number too, so that it is due.
CREATE TABLE deliveries (
    id       TEXT    NOT NULL PRIMARY KEY,
    client   TEXT    NOT NULL,
    uri      TEXT    NOT NULL,
    sub      TEXT    NOT NULL,
    sid      TEXT    NOT NULL,
    session  TEXT    NOT NULL,
    created  INTEGER,
    next_at  INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    done     INTEGER,
    failed   INTEGER,
    error    TEXT    NOT NULL
) STRICT;

CREATE INDEX deliveries_due ON deliveries (next_at) WHERE done IS NULL AND failed IS NULL;
CREATE INDEX deliveries_session ON deliveries (session, created);
CREATE INDEX deliveries_created ON deliveries (created);
CREATE INDEX deliveries_over ON deliveries (coalesce(done, failed));
