package xmlsec

import "crypto"

// Decrypt returns the element inside an EncryptedAssertion, EncryptedID or EncryptedAttribute: an unsigned element of a tree, to be verified. The
// content must be in AES-GCM, its key in RSA-OAEP; each of the keys is tried. Any failure is ErrDecrypt and nothing else.
func Decrypt(encrypted *Element, keys []crypto.Decrypter) (*Element, error) {
	return nil, ErrDecrypt
}

// Decrypt returns the element inside an encrypted part of v, which the signature over v vouches for. With cbc, AES-CBC is accepted as well: it is
// safe only here, where nobody but the signer can have written the ciphertext.
func (v Verified) Decrypt(encrypted *Element, keys []crypto.Decrypter, cbc bool) (Verified, error) {
	return Verified{}, ErrDecrypt
}
