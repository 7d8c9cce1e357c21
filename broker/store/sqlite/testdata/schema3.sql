-- A file of schema 3 with a record in each table.
CREATE TABLE goose_db_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id INTEGER NOT NULL,
    is_applied INTEGER NOT NULL,
    tstamp TIMESTAMP DEFAULT (datetime('now'))
);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1), (2, 1), (3, 1);

CREATE TABLE replay (
    mark  BLOB    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX replay_until ON replay (until);
INSERT INTO replay VALUES (x'1e19017e89cec25d78713c9c28efaa39552bb9f838922a92ccf2bd59643929ce', 32472144000000000);

CREATE TABLE keys (
    id        TEXT    NOT NULL PRIMARY KEY,
    purpose   TEXT    NOT NULL,
    alg       TEXT    NOT NULL,
    wrapped   BLOB,
    public    BLOB,
    created   INTEGER,
    active_at INTEGER,
    retire_at INTEGER,
    gone_at   INTEGER
) STRICT;
INSERT INTO keys VALUES ('k1', 'token', 'ES256', x'0102', x'03', 1795255200000000, 1795255200000000, NULL, NULL);

CREATE TABLE key_sets (
    source   TEXT NOT NULL PRIMARY KEY,
    jwks     BLOB,
    jwks_uri TEXT NOT NULL,
    fetched  INTEGER
) STRICT;
INSERT INTO key_sets VALUES ('https://idp.hq.hmart.example', CAST('{"keys":[]}' AS BLOB), '', 1795255200000000);

CREATE TABLE subjects (
    sub        TEXT    NOT NULL PRIMARY KEY,
    blocked    INTEGER NOT NULL,
    not_before INTEGER,
    note       TEXT    NOT NULL,
    changed    INTEGER
) STRICT;
INSERT INTO subjects VALUES ('s1', 1, NULL, 'left', 1795255200000000);

CREATE TABLE version (
    n INTEGER NOT NULL
) STRICT;
INSERT INTO version (n) VALUES (3);

CREATE TABLE pendings (
    seq   INTEGER NOT NULL PRIMARY KEY,
    hash  BLOB    NOT NULL UNIQUE,
    kind  TEXT    NOT NULL,
    value BLOB    NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX pendings_kind ON pendings (kind);
CREATE INDEX pendings_until ON pendings (until);

CREATE TABLE pending_counts (
    kind TEXT    NOT NULL PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER pendings_added AFTER INSERT ON pendings BEGIN
    INSERT INTO pending_counts (kind, n) VALUES (new.kind, 1) ON CONFLICT (kind) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER pendings_gone AFTER DELETE ON pendings BEGIN
    UPDATE pending_counts SET n = n - 1 WHERE kind = old.kind;
END;

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

INSERT INTO pendings VALUES (1, x'6032a6c5e4645ef66ed4d68ac8fd3be332ce2029ab1b9d976f1da2c5b8afec6d', 'login', CAST('asked' AS BLOB), 32472144000000000);
INSERT INTO codes VALUES (x'c1a89b6af8c5a80753af72563f1a48f0e52b4a911b1c11cf7a99673e2ffd5586', CAST('a code' AS BLOB), 's-1', 32472144000000000, 'f-1');
INSERT INTO codes VALUES (x'2e48083ae888b1fdf601329b0c093600da400b98859a7bf7f3b3ff136f157642', CAST('a code' AS BLOB), 's-1', 32472144000000000, NULL);
INSERT INTO families VALUES ('f-1', 's-1', 'portal', 'head-office', 'alice', 'sid-1', CAST('{}' AS BLOB), 1795255200000000, 32472144000000000, NULL, '');
INSERT INTO refresh VALUES (x'ccdbd43396eca4124f9a7bcf165e6adeeaf98b7b96b55d061cc7d7779e276f22', 'f-1', 32472144000000000, NULL, x'b5bac0cb1025064a069b66a8a42597d244c328ecad8efbc30a81d117e0e9f0c5', 1795255200000000, 10000000, NULL);
INSERT INTO refresh VALUES (x'b5bac0cb1025064a069b66a8a42597d244c328ecad8efbc30a81d117e0e9f0c5', 'f-1', 32472144000000000, x'ccdbd43396eca4124f9a7bcf165e6adeeaf98b7b96b55d061cc7d7779e276f22', NULL, NULL, NULL, NULL);
INSERT INTO sessions VALUES ('s-1', x'd7e83e28a04b537e64424546b14caf9b67bad2f28dabce68116e0d372319fa00', 1795255200000000, 1795255200000000, 32472144000000000, 32472144000000000, 'Firefox', '192.0.2.7');
INSERT INTO identities VALUES ('s-1', 'head-office', 'alice', 'theirs', 1795255200000000, 1795255200000000, 32472144000000000, CAST('{}' AS BLOB));
INSERT INTO consents VALUES ('alice', 'portal', '{"warehouse":["stock.read"]}', 1795255200000000);
INSERT INTO opaque VALUES (x'6d229884c1268bb0ab32d8da315d0fe52f9147228bd830a37bc9fb28a954940d', 'f-1', CAST('{}' AS BLOB), 32472144000000000);
INSERT INTO revoked VALUES ('jti-1', 32472144000000000);
INSERT INTO deliveries VALUES ('d-1', 'portal', 'https://portal.west.hmart.example/logout', 'alice', 'sid-1', 's-0', 1795255200000000, 1795255200000000, 1, NULL, NULL, 'timeout');

CREATE TABLE sources (
    hash    BLOB    NOT NULL PRIMARY KEY,
    session TEXT    NOT NULL,
    trust   TEXT    NOT NULL,
    value   BLOB    NOT NULL,
    until   INTEGER NOT NULL
) STRICT;
CREATE INDEX sources_session ON sources (session);
CREATE INDEX sources_until ON sources (until);
INSERT INTO sources VALUES (x'1581e27de87bffae0bd4d745cd7964e68528d7a83e2e4c259a782d275df6f558', 's-1', 'hq', x'7365616c6564', 32472144000000000);
