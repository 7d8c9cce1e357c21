package xmlsec

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// sealed is what a peer encrypts; its zero values are what most peers do.
type sealed struct {
	content   string // algorithm; AES-256-GCM if empty
	key       int    // bytes of the content key; those of the algorithm if 0
	transport string // algorithm; RSA-OAEP-MGF1P if empty
	hash, mgf crypto.Hash
	params    string              // more inside the EncryptionMethod of the key
	beside    bool                // the key stands beside EncryptedData, not in its KeyInfo
	mangle    func([]byte) []byte // of the content's octets
	wrap      func([]byte) []byte // of the key's octets
	typ       string              // of EncryptedData; Element if empty
}

// seal encrypts plain to the RSA key of the tests, into an EncryptedAssertion.
func (s sealed) seal(plain string) string {
	if s.content == "" {
		s.content = spaceEnc11 + "aes256-gcm"
	}
	if s.transport == "" {
		s.transport = oaepMGF1P
	}
	if s.hash == 0 {
		s.hash, s.mgf = crypto.SHA1, crypto.SHA1
	}
	if s.key == 0 {
		s.key = max(contentKeys[s.content], contentKeysCBC[s.content], 16)
	}
	if s.typ == "" {
		s.typ = spaceEnc + "Element"
	}
	key := make([]byte, s.key)
	rand.Read(key)
	value := s.encrypt(key, plain)
	if s.mangle != nil {
		value = s.mangle(value)
	}
	octets := must(rsa.EncryptOAEPWithOptions(rand.Reader, &rsaKey().PublicKey, key, &rsa.OAEPOptions{Hash: s.hash, MGFHash: s.mgf}))
	if s.wrap != nil {
		octets = s.wrap(octets)
	}
	encryptedKey := `<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="` + s.transport + `">` + s.params + `</xenc:EncryptionMethod>` +
		cipherData(octets) + `</xenc:EncryptedKey>`
	info, beside := `<ds:KeyInfo>`+encryptedKey+`</ds:KeyInfo>`, ""
	if s.beside {
		info, beside = `<ds:KeyInfo><ds:RetrievalMethod URI="#k"/></ds:KeyInfo>`, encryptedKey
	}
	return `<saml:EncryptedAssertion xmlns:saml="` + spaceSAML + `" xmlns:xenc="` + spaceEnc + `" xmlns:xenc11="` + spaceEnc11 + `" xmlns:ds="` + spaceDSig + `">` +
		`<xenc:EncryptedData Type="` + s.typ + `"><xenc:EncryptionMethod Algorithm="` + s.content + `"/>` + info + cipherData(value) +
		`</xenc:EncryptedData>` + beside + `</saml:EncryptedAssertion>`
}

func (s sealed) encrypt(key []byte, plain string) []byte {
	block := must(aes.NewCipher(key))
	if !strings.HasSuffix(s.content, "cbc") {
		return must(cipher.NewGCMWithRandomNonce(block)).Seal(nil, nil, []byte(plain), nil)
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append([]byte(plain), bytes.Repeat([]byte{0xEE}, padding)...)
	padded[len(padded)-1] = byte(padding)
	out := make([]byte, aes.BlockSize+len(padded))
	rand.Read(out[:aes.BlockSize])
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(out[aes.BlockSize:], padded)
	return out
}

func cipherData(b []byte) string {
	return `<xenc:CipherData><xenc:CipherValue>` + base64.StdEncoding.EncodeToString(b) + `</xenc:CipherValue></xenc:CipherData>`
}

const sha256Digest = `<ds:DigestMethod Algorithm="` + spaceEnc + `sha256"/>`

func TestDecryptReadsWhatPeersSend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		sealed
	}{
		{"AES-256-GCM, RSA-OAEP-MGF1P", sealed{}},
		{"AES-192-GCM", sealed{content: spaceEnc11 + "aes192-gcm"}},
		{"AES-128-GCM", sealed{content: spaceEnc11 + "aes128-gcm"}},
		{"the key beside EncryptedData", sealed{beside: true}},
		{"RSA-OAEP-MGF1P with a SHA-1 digest that is named", sealed{params: `<ds:DigestMethod Algorithm="` + digestSHA1 + `"/>`}},
		{"RSA-OAEP-MGF1P with a SHA-256 digest", sealed{hash: crypto.SHA256, mgf: crypto.SHA1, params: sha256Digest}},
		{"RSA-OAEP of XML Encryption 1.1 with its defaults", sealed{transport: oaep11}},
		{"RSA-OAEP of XML Encryption 1.1 with SHA-256 for both", sealed{transport: oaep11, hash: crypto.SHA256, mgf: crypto.SHA256,
			params: sha256Digest + `<xenc11:MGF Algorithm="` + spaceEnc11 + `mgf1sha256"/>`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, err := Decrypt(read(t, c.seal(assertion(1))), decrypters())
			if err != nil {
				t.Fatal(err)
			}
			if got, want := e.Canonical(), read(t, assertion(1)).Canonical(); !bytes.Equal(got, want) {
				t.Errorf("got %s\nwant %s", got, want)
			}
		})
	}
}

// decrypters are two keys, as while one rolls over; the second fits.
func decrypters() []crypto.Decrypter { return []crypto.Decrypter{otherRSA(), rsaKey()} }

func cut(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }

func flip(i int) func([]byte) []byte {
	return func(b []byte) []byte {
		b = bytes.Clone(b)
		b[(i+len(b))%len(b)] ^= 1
		return b
	}
}

func TestA25_OneErrorForWhateverCannotBeDecrypted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		plain string // an assertion if empty
		sealed
	}{
		{"content in AES-CBC", "", sealed{content: spaceEnc + "aes128-cbc"}},
		{"content in Triple DES", "", sealed{content: spaceEnc + "tripledes-cbc"}},
		{"content without algorithm", "", sealed{content: " "}},
		{"the key in RSA PKCS #1 v1.5", "", sealed{transport: spaceEnc + "rsa-1_5"}},
		{"the key of another size", "", sealed{key: 16}},
		{"a bit of the content flipped", "", sealed{mangle: flip(20)}},
		{"a bit of the tag flipped", "", sealed{mangle: flip(-1)}},
		{"a bit of the nonce flipped", "", sealed{mangle: flip(0)}},
		{"a bit of the wrapped key flipped", "", sealed{wrap: flip(5)}},
		{"another digest than was used", "", sealed{params: sha256Digest}},
		{"an unknown digest", "", sealed{params: `<ds:DigestMethod Algorithm="urn:x"/>`}},
		{"two digests", "", sealed{params: sha256Digest + sha256Digest}},
		{"OAEP parameters", "", sealed{params: `<xenc:OAEPparams>AAAA</xenc:OAEPparams>`}},
		{"an unknown mask", "", sealed{transport: oaep11, params: `<xenc11:MGF Algorithm="urn:x"/>`}},
		{"plaintext that is no XML", "admin", sealed{}},
		{"plaintext of two elements", "<a/><a/>", sealed{}},
		{"content that replaces content", "", sealed{typ: spaceEnc + "Content"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.plain == "" {
				c.plain = assertion(1)
			}
			if e, err := Decrypt(read(t, c.seal(c.plain)), decrypters()); err != ErrDecrypt || e != nil { //nolint:errorlint // bare
				t.Errorf("got %v, %v, want the bare ErrDecrypt", e, err)
			}
		})
	}
}

func TestL01_CutCiphertextDoesNotPanic(t *testing.T) {
	t.Parallel()
	for _, content := range []string{spaceEnc11 + "aes128-gcm", spaceEnc + "aes128-cbc", spaceEnc + "aes256-cbc"} {
		for n := 1; n < 70; n++ {
			document := sealed{content: content, mangle: cut(n)}.seal(assertion(1))
			if _, err := decrypt(read(t, document), decrypters(), true); !errors.Is(err, ErrDecrypt) {
				t.Errorf("%s cut to %d bytes: %v", content, n, err)
			}
		}
	}
	for _, blank := range []string{"", " ", strings.Repeat(" ", 64)} {
		for _, content := range []string{spaceEnc11 + "aes128-gcm", spaceEnc + "aes128-cbc"} {
			if _, err := decrypt(read(t, sealed{content: content}.seal(blank)), decrypters(), true); !errors.Is(err, ErrDecrypt) {
				t.Errorf("%s of %d spaces: %v", content, len(blank), err)
			}
		}
	}
}

func TestCBCIsReadOnlyUnderASignatureAndIfAskedFor(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"aes128-cbc", "aes192-cbc", "aes256-cbc"} {
		encrypted := sealed{content: spaceEnc + content}.seal(assertion(1))
		v, err := Verify(read(t, signed(response(encrypted))), public(p256()))
		if err != nil {
			t.Fatal(err)
		}
		part := find(t, v.Element(), "EncryptedAssertion")
		if _, err := v.Decrypt(part, decrypters(), false); !errors.Is(err, ErrDecrypt) {
			t.Errorf("%s, not asked for: %v", content, err)
		}
		inner, err := v.Decrypt(part, decrypters(), true)
		if err != nil || inner.Element().Name().Local != "Assertion" {
			t.Errorf("%s, asked for: %v", content, err)
		}
		other := find(t, read(t, response(encrypted)), "EncryptedAssertion")
		if _, err := v.Decrypt(other, decrypters(), true); !errors.Is(err, ErrDecrypt) {
			t.Errorf("%s of another tree: %v", content, err)
		}
	}
}

func TestDecryptedContentStandsWhereItWas(t *testing.T) {
	t.Parallel()
	e, err := Decrypt(read(t, sealed{}.seal(`<saml:Assertion ID="_1"/>`)), decrypters())
	if err != nil || e.Name() != (Name{spaceSAML, "Assertion"}) {
		t.Errorf("%v: a prefix that is declared outside, as XML Encryption allows", err)
	}
}

func TestL12_WhatIsEncryptedIsEncrypted(t *testing.T) {
	t.Parallel()
	data, err := Encrypt([]byte(assertion(2)), &rsaKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	wrapper := `<saml:EncryptedAssertion xmlns:saml="` + spaceSAML + `">` + string(data) + `</saml:EncryptedAssertion>`
	e, err := Decrypt(read(t, wrapper), decrypters())
	if err != nil || !bytes.Equal(e.Canonical(), read(t, assertion(2)).Canonical()) {
		t.Errorf("decrypting it: %v", err)
	}
	if bytes.Contains(data, []byte("alice")) {
		t.Error("the plaintext shows (crewjam's GCM encrypts nothing)")
	}
	again := must(Encrypt([]byte(assertion(2)), &rsaKey().PublicKey))
	if bytes.Equal(data, again) {
		t.Error("the same octets twice: the key or the nonce is not fresh")
	}
	if _, err := Encrypt([]byte("<a"), &rsaKey().PublicKey); !errors.Is(err, ErrMalformed) {
		t.Errorf("encrypting what is no element: %v", err)
	}
}
