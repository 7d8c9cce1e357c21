// Package seal encrypts small texts that pass through a browser or the store: what comes back is known to be what we wrote, and
// nobody in between could read it.
//
// It owns the format and the derivation of one key per purpose, so that a text sealed for one use never opens in another. The
// key itself is broker/keyring's ([keyring.KEK.Derive]). What a sealed text means, how long it holds and to which browser it
// belongs is its owner's; sealing makes nothing one-time.
package seal
