// Package keyring holds the broker's own signing keys: it makes them, wraps them for the store, says which one signs now,
// which are published, and schedules their change.
//
// It owns the key-encryption key file and the life of a key (standby → scheduled → active → retiring → gone). What is signed is
// broker/mint's, how is trust/jose's, where wrapped keys lie is broker/store's.
package keyring
