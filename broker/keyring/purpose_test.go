package keyring

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"log/slog"
	"slices"
	"testing"
	"time"

	"apostille/broker/store"
)

func openFor(t *testing.T, p Purpose, s store.Keys, c *clock) *Ring {
	t.Helper()
	r, err := Open(t.Context(), Config{Purpose: p, Name: "id.example", Store: s, KEK: newKEK(t, 1), Now: c.now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPurposesLeaveEachOthersKeysAlone(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := memoryStore(c)
	tokens, signing := openFor(t, Tokens, s, c), openFor(t, SAMLSigning, s, c)
	before, _ := tokens.JWKS()
	if _, err := signing.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tokens.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, _ := tokens.JWKS(); !bytes.Equal(before, after) {
		t.Error("rotating a SAML key changed the JWK Set")
	}
	if _, err := tokens.Signer("RSA-OAEP"); err == nil {
		t.Error("tokens are signed with a key that others encrypt to")
	}
}

func TestACertificateIsTheSameInEveryProcess(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := memoryStore(c)
	first, second := openFor(t, SAMLEncryption, s, c).Certified(), openFor(t, SAMLEncryption, s, c).Certified()
	if len(first) != 1 || len(second) != 1 || !bytes.Equal(first[0].Certificate, second[0].Certificate) {
		t.Fatalf("%d and %d keys, or two certificates of one key", len(first), len(second))
	}
	cert, err := x509.ParseCertificate(first[0].Certificate)
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		t.Error(err)
	}
	if !cert.PublicKey.(*rsa.PublicKey).Equal(first[0].Key.Public()) || cert.Subject.CommonName != "id.example" {
		t.Errorf("a certificate of another key, or for %q", cert.Subject.CommonName)
	}
	if _, ok := first[0].Key.(crypto.Decrypter); !ok {
		t.Error("the key decrypts nothing")
	}
}

func TestACertifiedKeyHasASecondOneOnlyWhileItRotates(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := openFor(t, SAMLSigning, memoryStore(c), c)
	states := func() (list []State) {
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, k := range r.Certified() {
			list = append(list, k.State)
		}
		return list
	}
	c.advance(400 * 24 * time.Hour)
	if got := states(); !slices.Equal(got, []State{Active}) {
		t.Fatalf("by itself: %v", got) // a key that peers carried over by hand must not change without a word
	}
	old := r.Certified()[0].Certificate
	if _, err := r.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := states(); !slices.Equal(got, []State{Active, Scheduled}) || !bytes.Equal(r.Certified()[0].Certificate, old) {
		t.Fatalf("just rotated: %v", got)
	}
	c.advance(SAMLSigning.PublishBefore)
	if got := states(); !slices.Equal(got, []State{Active, Retiring}) || bytes.Equal(r.Certified()[0].Certificate, old) {
		t.Fatalf("when the next one signs: %v", got)
	}
	c.advance(SAMLSigning.Linger)
	if got := states(); !slices.Equal(got, []State{Active}) {
		t.Fatalf("at the end: %v", got)
	}
}
