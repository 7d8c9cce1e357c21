// Package memory keeps the broker's records as long as the process lives: for the demo, for tests, and for a
// broker without one-time rules that may take new signing keys at each start.
//
// It owns nothing but the bounds: a full map of replay marks, or of what sign-ins leave behind, refuses (store.ErrFull) rather than forget;
// of unfinished logins and the like, which strangers begin, the oldest are dropped.
// The contracts are broker/store's.
package memory
