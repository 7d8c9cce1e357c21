package xmlsec

import "crypto/rsa"

// Encrypt returns EncryptedData that holds the element, a document without XML declaration, in AES-256-GCM for a recipient, with RSA-OAEP
// (SHA-256, MGF1 with SHA-256). The caller puts it into an EncryptedAssertion.
func Encrypt(element []byte, recipient *rsa.PublicKey) ([]byte, error) {
	return nil, ErrDecrypt
}
