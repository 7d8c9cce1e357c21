package xmlsec

import "crypto"

// Sign returns the document with an enveloped signature over its root, which must have an ID and no signature yet. The signature follows
// an Issuer that comes first, as in messages and assertions, and else is the first child, as in metadata. The key decides the
// algorithm: RSA with SHA-256; ECDSA with SHA-256, 384 or 512 by its curve. Certificate, DER, goes into KeyInfo unless it is nil.
func Sign(document []byte, key crypto.Signer, certificate []byte) ([]byte, error) {
	return nil, ErrSignature
}
