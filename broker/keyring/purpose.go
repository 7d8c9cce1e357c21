package keyring

import (
	"time"

	"apostille/broker/store"
	"apostille/trust"
)

// Purpose is what keys are for, and with it how they live.
type Purpose struct {
	Name string   // in the store
	Algs []string // one key of each is ready from the first start

	PublishBefore time.Duration // published before first use
	Linger        time.Duration // published, or of use at all, after last use
	RotateAfter   time.Duration // age of use at which the server rotates by itself; 0 = by command only
	// Certified keys have certificates, and are published by them in SAML metadata. Peers often carry that over by hand, and some take one
	// certificate only: so there is a second key only while one is rotated.
	Certified bool
}

// RSAOAEP is the algorithm of keys that others encrypt to.
const RSAOAEP = "RSA-OAEP"

// What there are keys for. Tokens: regional APIs cache our key set, some for hours and without asking again for an unknown key, so a key is
// published long before it signs and long after it stopped; all algorithms are ready, so that switching an API's needs no wait.
var (
	Tokens = Purpose{
		Name: "token", Algs: trust.TokenAlgs,
		PublishBefore: 24 * time.Hour,
		Linger:        trust.MaxLifetime + 24*time.Hour, // the last token's life, and a day of caches
		RotateAfter:   90 * 24 * time.Hour,
	}
	SAMLSigning = Purpose{
		Name: "saml-signing", Algs: []string{"RS256"}, Certified: true,
		PublishBefore: 7 * 24 * time.Hour, // federations take over metadata once a day or two
		Linger:        24 * time.Hour,
	}
	SAMLEncryption = Purpose{
		Name: "saml-encryption", Algs: []string{RSAOAEP}, Certified: true,
		PublishBefore: 7 * 24 * time.Hour,
		Linger:        30 * 24 * time.Hour, // some peers go on encrypting to it until somebody there notices
	}
)

// Purposes lists them.
var Purposes = []Purpose{Tokens, SAMLSigning, SAMLEncryption}

// spare says whether a standby is made and published ahead.
func (p Purpose) spare() bool { return !p.Certified }

// split parts the keys of this purpose from the others.
func (p Purpose) split(all []store.Key) (mine, others []store.Key) {
	for _, k := range all {
		if k.Purpose == p.Name {
			mine = append(mine, k)
		} else {
			others = append(others, k)
		}
	}
	return mine, others
}
