// Package store says what the broker must remember, and what every memory of it promises.
//
// It owns the records, the small interfaces that stand for them, and the errors they share. It holds no
// data: store/sqlite keeps them in one file beside the configuration, store/memory keeps them as long as
// the process lives, and store/storetest is the one suite that both pass. What the records mean belongs to
// their users: one-time things to exchange and broker/clientauth, private keys to broker/keyring, key sets
// to upstream/keys, marks on subjects to whoever loads a trust.Standing; of what a sign-in leaves behind,
// unfinished things to broker/authflow and broker/authorize, families and sources to broker/family, sessions to broker/session.
//
// Rules for all of it: every method is safe for concurrent use; what a method acknowledged is durable; an
// error leaves the records as they were, unless its comment says otherwise. Times come back in UTC, cut to
// the microsecond. Byte slices and lists belong to the caller on both sides: an implementation MUST copy.
package store
