package jose

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParsePEM reads certificates and public keys ("CERTIFICATE", "PUBLIC KEY"; several are fine, one key twice is one key); kid is "".
// Of a certificate only the key is used: its issuer is not checked and its dates are not looked at. Refused as a whole, with
// the block's number and the remedy: private keys and any other block, damaged blocks, CA certificates, certificates whose
// key usage lacks digitalSignature, keys that ParseJWKS would refuse, more than 256 KiB, and more than 4 keys for one
// algorithm (no kid tells which to try). allowed narrows the algorithms; an empty list means all of Alg.
func ParsePEM(b []byte, allowed []Alg) (*Set, error) { return parsePEM(b, allowed, checkLeaf) }

// ParsePinnedPEM reads what ParsePEM reads, and takes a self-signed certificate although it says that it is a CA's, as that of most SAML
// identity providers does: it vouches for its own key alone. One that came along with a certificate it issued is refused: it is the root of
// a chain, and whoever holds its key is not the signer.
func ParsePinnedPEM(b []byte, allowed []Alg) (*Set, error) {
	var pinned []*x509.Certificate
	set, err := parsePEM(b, allowed, func(cert *x509.Certificate) error {
		pinned = append(pinned, cert)
		if selfIssued(cert) {
			return checkUsage(cert)
		}
		return checkLeaf(cert)
	})
	if err != nil {
		return nil, err
	}
	for _, leaf := range pinned {
		for _, ca := range pinned {
			if ca.IsCA && !selfIssued(leaf) && bytes.Equal(leaf.RawIssuer, ca.RawSubject) {
				return nil, errors.New("this is a chain: one certificate issued another; give the signer's own alone")
			}
		}
	}
	return set, nil
}

func selfIssued(cert *x509.Certificate) bool { return bytes.Equal(cert.RawIssuer, cert.RawSubject) }

func parsePEM(b []byte, allowed []Alg, check func(*x509.Certificate) error) (*Set, error) {
	if err := checkAllowed(allowed); err != nil {
		return nil, err
	}
	blocks, err := pemBlocks(b)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for i, block := range blocks {
		pub, err := publicKey(block, check)
		if err == nil {
			err = checkPublic(pub)
		}
		if err != nil {
			return nil, fmt.Errorf("PEM block %d (%s): %w", i+1, block.Type, err)
		}
		algs := narrow(pub, allowed)
		if len(algs) == 0 {
			return nil, fmt.Errorf("PEM block %d (%s): no allowed algorithm fits the key", i+1, block.Type)
		}
		if !slices.ContainsFunc(keys, func(k Key) bool { return equal(k.Public, pub) }) {
			keys = append(keys, Key{Algs: algs, Public: pub})
		}
	}
	return unnamedSet(keys)
}

// unnamedSet makes a set of keys without kid, all of which Lookup can find.
func unnamedSet(keys []Key) (*Set, error) {
	count := map[Alg]int{}
	for _, k := range keys {
		for _, alg := range k.Algs {
			if count[alg]++; count[alg] > maxUnnamed {
				return nil, fmt.Errorf("more than %d PEM keys for %s: without a kid each would be tried; use a JWK set with kids", maxUnnamed, alg)
			}
		}
	}
	return NewSet(keys...), nil
}

// pemBlocks splits PEM text into its public blocks. pem.Decode skips what it cannot read, so blocks are counted: a key that was
// damaged must not go missing in silence.
func pemBlocks(b []byte) ([]*pem.Block, error) {
	if len(b) > maxSetBytes {
		return nil, fmt.Errorf("PEM text is larger than %d bytes", maxSetBytes)
	}
	begun := bytes.Count(b, []byte("-----BEGIN "))
	if begun == 0 {
		return nil, errors.New("no PEM block; expected CERTIFICATE or PUBLIC KEY")
	}
	var blocks []*pem.Block
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, block)
		if err := checkBlock(block, len(blocks)); err != nil {
			return nil, err
		}
	}
	if len(blocks) != begun {
		return nil, fmt.Errorf("%d PEM blocks begin, but only %d can be read", begun, len(blocks))
	}
	if len(blocks) > maxSetKeys {
		return nil, fmt.Errorf("more than %d PEM blocks", maxSetKeys)
	}
	return blocks, nil
}

func checkBlock(block *pem.Block, number int) error {
	switch {
	case block.Type == "CERTIFICATE" || block.Type == "PUBLIC KEY":
		return nil
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return fmt.Errorf("PEM block %d is a private key, which does not belong here; give its public key (openssl pkey -pubout)", number)
	case block.Type == "RSA PUBLIC KEY":
		return fmt.Errorf("PEM block %d is RSA PUBLIC KEY (PKCS #1); convert it to PUBLIC KEY (openssl rsa -RSAPublicKey_in -pubout)", number)
	}
	return fmt.Errorf("PEM block %d is %.40q, not CERTIFICATE or PUBLIC KEY", number, block.Type)
}

func publicKey(block *pem.Block, check func(*x509.Certificate) error) (crypto.PublicKey, error) {
	if block.Type == "PUBLIC KEY" {
		pub, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("not a public key that can be read")
		}
		return pub, nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, errors.New("not a certificate that can be read")
	}
	return cert.PublicKey, check(cert)
}

// checkLeaf refuses a certificate whose key is not for signing tokens. A CA's key signs certificates: trusting it for tokens, where
// the chain is not looked at, is nearly always the wrong file.
func checkLeaf(cert *x509.Certificate) error {
	if cert.IsCA {
		return errors.New("this is a CA certificate; give the token signer's own certificate, " +
			"or, if it signs tokens all the same, its public key (openssl x509 -pubkey -noout)")
	}
	return checkUsage(cert)
}

func checkUsage(cert *x509.Certificate) error {
	if cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return errors.New("the certificate's key usage lacks digitalSignature")
	}
	return nil
}
