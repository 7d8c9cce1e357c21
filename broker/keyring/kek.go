package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// kekPrefix marks the key file, so that a wrong file is told from a corrupt one.
const kekPrefix = "apostille-key-v1:"

// KEK is the key-encryption key: it wraps the signing keys in the store, and other secrets of the broker derive from it.
type KEK struct {
	aead cipher.AEAD
	raw  [32]byte
}

// NewKEKFile makes a fresh key file (0600). It never overwrites one: the store's keys could not be opened any more.
func NewKEKFile(path string) error {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, werr := fmt.Fprintln(f, kekPrefix+base64.StdEncoding.EncodeToString(raw))
	return errors.Join(werr, f.Sync(), f.Close())
}

// ReadKEKFile reads a key file made by NewKEKFile.
func ReadKEKFile(path string) (*KEK, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w (apostille init makes one)", err)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(string(b)), kekPrefix)
	if !ok {
		return nil, fmt.Errorf("key file %s: expected one line that begins with %q", path, kekPrefix)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("key file %s: expected 32 bytes in base64 after %q; restore it from a backup", path, kekPrefix)
	}
	return NewKEK([32]byte(raw))
}

// NewKEK makes a KEK of raw key bytes.
func NewKEK(raw [32]byte) (*KEK, error) {
	block, err := aes.NewCipher(raw[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &KEK{aead: aead, raw: raw}, nil
}

// Derive returns the 32-byte secret of a label, by HKDF-SHA-256 (RFC 5869): always the same for one key file, and telling nothing
// of it or of another label's. label is a constant of the program, such as "seal" or "pairwise-v1".
func (k *KEK) Derive(label string) []byte {
	key, err := hkdf.Key(sha256.New, k.raw[:], nil, "apostille-derive-v1:"+label, 32)
	if err != nil {
		panic(err) // only for an absurd length
	}
	return key
}

// wrap encrypts a private key; label binds it to its row, so that rows cannot be swapped.
func (k *KEK) wrap(plain []byte, label string) []byte {
	return k.aead.Seal(nil, nil, plain, []byte(label))
}

// unwrap is wrap's inverse.
func (k *KEK) unwrap(sealed []byte, label string) ([]byte, error) {
	plain, err := k.aead.Open(nil, nil, sealed, []byte(label))
	if err != nil {
		return nil, errors.New("cannot be opened with this key file: it is corrupt, or the key file is another store's")
	}
	return plain, nil
}
