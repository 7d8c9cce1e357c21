package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"syscall"
	"time"
)

// bareCryptography is what no exchange can leave out: one RS256 verification and one ES256 signature.
type bareCryptography struct {
	key       *rsa.PublicKey
	digest    [sha256.Size]byte
	signature []byte
	signer    *ecdsa.PrivateKey
}

func newBareCryptography(key *rsa.PrivateKey) (*bareCryptography, error) {
	b := &bareCryptography{key: &key.PublicKey, digest: sha256.Sum256([]byte("a signing input"))}
	var err error
	if b.signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, b.digest[:]); err != nil {
		return nil, err
	}
	b.signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return b, err
}

func (b *bareCryptography) once() error {
	if err := rsa.VerifyPKCS1v15(b.key, crypto.SHA256, b.digest[:], b.signature); err != nil {
		return err
	}
	_, _, err := ecdsa.Sign(rand.Reader, b.signer, b.digest[:])
	return err
}

// measure returns this process's CPU time per repetition over n of them.
func (b *bareCryptography) measure(n int) (time.Duration, error) {
	before, err := ownCPU()
	if err != nil {
		return 0, err
	}
	for range n {
		if err := b.once(); err != nil {
			return 0, err
		}
	}
	after, err := ownCPU()
	return (after - before) / time.Duration(n), err
}

func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}
