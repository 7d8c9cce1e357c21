// Package storetest is the one suite that every implementation of store.Store passes: the contract in
// broker/store, sentence by sentence.
//
// It owns what holds for all of them. What belongs to one, such as crashes and processes, stands in that one's
// own tests. It is imported by tests only.
package storetest
