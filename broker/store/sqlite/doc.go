// Package sqlite keeps the broker's records in one SQLite file, the store of a single node.
//
// It owns the schema and its migrations (embedded, forward only), the group commit of writes, and the sweep
// of what is over. The contracts are broker/store's; what keys mean, broker/keyring's. Private keys arrive
// here wrapped, replay marks, codes, refresh tokens and cookies as digests.
//
// The file is in WAL mode with synchronous FULL: a commit is on disk before it is acknowledged. One connection
// writes, two read. Several processes may open one file: the server, and commands beside it.
//
// A file is never opened through os while it may be in use: closing any descriptor of it would drop the locks
// that SQLite holds in this process (POSIX advisory locks, see https://sqlite.org/howtocorrupt.html §2.2).
package sqlite
