package xmlsec

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // in OAEP; see oaepDigests
	"encoding/base64"
	"fmt"
)

// Encrypt returns EncryptedData that holds the root of a document, signed or not, in AES-256-GCM under a fresh key, which is encrypted to
// the recipient with RSA-OAEP (MGF1P, SHA-1: what every peer can decrypt). The caller puts it into an EncryptedAssertion.
func Encrypt(document []byte, recipient *rsa.PublicKey) ([]byte, error) {
	if !usable(recipient, pkcs1) {
		return nil, faultf(ErrAlgorithm, "the recipient's key is not RSA of %d to %d bits", minRSABits, maxRSABits)
	}
	root, err := Parse(document)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	rand.Read(key) // never fails: it ends the program instead
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, recipient, key, nil)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `<xenc:EncryptedData xmlns:xenc="%s" Type="%sElement"><xenc:EncryptionMethod Algorithm="%saes256-gcm"/>`+
		`<ds:KeyInfo xmlns:ds="%s"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="%s"><ds:DigestMethod Algorithm="%s"/></xenc:EncryptionMethod>`+
		`<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>`+
		`<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>`,
		spaceEnc, spaceEnc, spaceEnc11, spaceDSig, oaepMGF1P, digestSHA1, base64.StdEncoding.EncodeToString(wrapped),
		base64.StdEncoding.EncodeToString(gcm.Seal(nil, nil, root.whole(), nil))), nil
}
