//go:build race

package xmlsec

// slow is how much more time the race detector is given.
const slow = 20
