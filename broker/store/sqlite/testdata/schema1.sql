-- A file of schema 1 with a record in each table.
CREATE TABLE goose_db_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id INTEGER NOT NULL,
    is_applied INTEGER NOT NULL,
    tstamp TIMESTAMP DEFAULT (datetime('now'))
);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1);

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
