package xmlsec

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
)

// Algorithms of XML Encryption 1.1 §5 that we accept. RSA PKCS #1 v1.5 and Triple DES are not among them.
const (
	oaepMGF1P  = spaceEnc + "rsa-oaep-mgf1p" // MGF1 is with SHA-1, whatever the digest
	oaep11     = spaceEnc11 + "rsa-oaep"
	digestSHA1 = spaceDSig + "sha1"
)

// contentKeys are the lengths in bytes of the keys of the content encryptions.
var contentKeys = map[string]int{
	spaceEnc11 + "aes128-gcm": 16,
	spaceEnc11 + "aes192-gcm": 24,
	spaceEnc11 + "aes256-gcm": 32,
}

// contentKeysCBC are those without integrity.
var contentKeysCBC = map[string]int{
	spaceEnc + "aes128-cbc": 16,
	spaceEnc + "aes192-cbc": 24,
	spaceEnc + "aes256-cbc": 32,
}

// SHA-1 is no weakness here: OAEP does not rest on collision resistance, and it is the default of both transports.
var (
	oaepDigests = map[string]crypto.Hash{
		"": crypto.SHA1, digestSHA1: crypto.SHA1,
		spaceEnc + "sha256": crypto.SHA256, moreDSig + "sha384": crypto.SHA384, spaceEnc + "sha512": crypto.SHA512,
	}
	oaepMasks = map[string]crypto.Hash{
		"": crypto.SHA1, spaceEnc11 + "mgf1sha1": crypto.SHA1,
		spaceEnc11 + "mgf1sha256": crypto.SHA256, spaceEnc11 + "mgf1sha384": crypto.SHA384, spaceEnc11 + "mgf1sha512": crypto.SHA512,
	}
)

// Each key is tried with each EncryptedKey, at the price of an RSA signature.
const (
	maxDecrypters    = 4
	maxEncryptedKeys = 4
)

// Decrypt returns the element inside an EncryptedAssertion, EncryptedID or EncryptedAttribute: an unsigned element of a tree, to be verified. The
// content must be in AES-GCM, its key in RSA-OAEP; each of the keys, RSA of 2048 bits or more, is tried. Any failure is ErrDecrypt and
// nothing else.
func Decrypt(encrypted *Element, keys []crypto.Decrypter) (*Element, error) {
	return decrypt(encrypted, keys, false)
}

// Decrypt returns the element inside an encrypted part of v, which the signature over v vouches for. With cbc, AES-CBC is accepted as well: it is
// safe only here, where nobody but the signer can have written the ciphertext.
func (v Verified) Decrypt(encrypted *Element, keys []crypto.Decrypter, cbc bool) (Verified, error) {
	if _, ok := v.Part(encrypted); !ok {
		return Verified{}, ErrDecrypt
	}
	root, err := decrypt(encrypted, keys, cbc)
	return Verified{root}, err
}

func decrypt(encrypted *Element, keys []crypto.Decrypter, cbc bool) (root *Element, err error) {
	defer func() {
		if recover() != nil { // a key may be a device's driver
			root, err = nil, ErrDecrypt
		}
	}()
	e, ok := readEncrypted(encrypted, cbc)
	if !ok || len(keys) > maxDecrypters {
		return nil, ErrDecrypt
	}
	for _, key := range keys {
		for _, wrapped := range e.keys {
			plain, ok := e.open(wrapped.unwrap(key))
			if !ok {
				continue
			}
			// The content is read in the place of what it replaces: XML Encryption 1.1 §4.4.
			if root, err := parse(string(plain), encrypted.scope); err == nil {
				return root, nil
			}
		}
	}
	return nil, ErrDecrypt
}

// unwrap decrypts a content key; nil if it cannot.
func (w wrappedKey) unwrap(key crypto.Decrypter) []byte {
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok || !usable(public, pkcs1) || len(w.value) != public.Size() {
		return nil
	}
	content, err := key.Decrypt(rand.Reader, w.value, &w.options)
	if err != nil {
		return nil
	}
	return content
}

// open decrypts the content.
func (e *encryptedData) open(key []byte) ([]byte, bool) {
	if len(key) != e.keyBytes {
		return nil, false
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	if e.cbc {
		return openCBC(block, e.value)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block) // the nonce stands in front: XML Encryption 1.1 §5.2.4
	if err != nil {
		return nil, false
	}
	plain, err := gcm.Open(nil, nil, e.value, nil)
	return plain, err == nil
}

// openCBC decrypts after an initialisation vector, and strips the padding, of which only the last byte has a meaning (XML Encryption 1.1 §5.2).
func openCBC(block cipher.Block, value []byte) ([]byte, bool) {
	if len(value) < 2*aes.BlockSize || len(value)%aes.BlockSize != 0 {
		return nil, false
	}
	plain := make([]byte, len(value)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, value[:aes.BlockSize]).CryptBlocks(plain, value[aes.BlockSize:])
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > aes.BlockSize {
		return nil, false
	}
	return plain[:len(plain)-padding], true
}
