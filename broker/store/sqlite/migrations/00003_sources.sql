-- Schema 3: what upstreams gave to be asked again with, once for each login (store.Source).

-- +goose Up

CREATE TABLE sources (
    hash    BLOB    NOT NULL PRIMARY KEY,
    session TEXT    NOT NULL,
    trust   TEXT    NOT NULL,
    value   BLOB    NOT NULL,
    until   INTEGER NOT NULL
) STRICT;

CREATE INDEX sources_session ON sources (session);
CREATE INDEX sources_until ON sources (until);
