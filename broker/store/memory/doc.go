// Package memory keeps the broker's records as long as the process lives: for the demo, for tests, and for a
// broker without one-time rules that may take new signing keys at each start.
//
// It owns nothing but the bound on replay marks: a full map refuses (store.ErrFull) rather than forget a mark.
// The contracts are broker/store's.
package memory
