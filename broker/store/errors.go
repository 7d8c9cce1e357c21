package store

import "errors"

// Errors that callers branch on, with errors.Is. Any other error means that the store did not answer: nothing
// that depends on it may be issued, and the next call may well succeed.
var (
	// ErrClosed is returned by every method after Close.
	ErrClosed = errors.New("store: closed")
	// ErrExpired is returned by Claim for a time that has passed: a mark that is never kept cannot tell a
	// second use from a first.
	ErrExpired = errors.New("store: claim ends in the past")
	// ErrInvalid is returned for a record that no store can keep, such as a key without an ID.
	ErrInvalid = errors.New("store: invalid record")
	// ErrFull is returned by a bounded store that has no room for a mark. Making room by forgetting one would
	// let a credential be used twice.
	ErrFull = errors.New("store: full")
)
