-- Schema 1. Times are microseconds since 1970 in UTC; NULL is the zero time.

-- +goose Up

-- mark: see store.NewReplayMark. until: the mark counts up to here.
CREATE TABLE replay (
    mark  BLOB    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX replay_until ON replay (until);

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

CREATE TABLE key_sets (
    source   TEXT NOT NULL PRIMARY KEY,
    jwks     BLOB,
    jwks_uri TEXT NOT NULL,
    fetched  INTEGER
) STRICT;

CREATE TABLE subjects (
    sub        TEXT    NOT NULL PRIMARY KEY,
    blocked    INTEGER NOT NULL,
    not_before INTEGER,
    note       TEXT    NOT NULL,
    changed    INTEGER
) STRICT;

-- One row; n grows with every change to keys and subjects.
CREATE TABLE version (
    n INTEGER NOT NULL
) STRICT;

INSERT INTO version (n) VALUES (1);
