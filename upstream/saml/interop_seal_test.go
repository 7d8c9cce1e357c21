//go:build interop

package saml_test

import (
	"crypto/ecdsa"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"apostille/trust/xmlsec"
)

var (
	signatureBlock = regexp.MustCompile(`(?s)<(?:[\w.-]+:)?Signature[\s>].*?</(?:[\w.-]+:)?Signature\s*>`)
	referenced     = regexp.MustCompile(`URI="#([^"]*)"`)
	digestValue    = regexp.MustCompile(`(<(?:[\w.-]+:)?DigestValue[^>]*>)[^<]*`)
	signatureValue = regexp.MustCompile(`(<(?:[\w.-]+:)?SignatureValue[^>]*>)[^<]*`)
)

// seal fills in the digests and signature values of a document that may be any, whose syntax stays as it is: the inner signature first.
func seal(document string, key *ecdsa.PrivateKey) string {
	for n := len(signatureBlock.FindAllString(document, -1)) - 1; n >= 0; n-- {
		document = sealBlock(document, n, key)
	}
	return document
}

func sealBlock(document string, n int, key *ecdsa.PrivateKey) string {
	at := signatureBlock.FindAllStringIndex(document, -1)[n]
	before, block, after := document[:at[0]], document[at[0]:at[1]], document[at[1]:]
	id := referenced.FindStringSubmatch(block)
	bare, err := xmlsec.Parse([]byte(before + after))
	if id == nil || err != nil {
		return document
	}
	for e := range bare.Walk() {
		if have, _ := e.Attr("ID"); have == id[1] {
			sum := sha256.Sum256(e.Canonical())
			block = digestValue.ReplaceAllString(block, "${1}"+base64.StdEncoding.EncodeToString(sum[:]))
		}
	}
	root, err := xmlsec.Parse([]byte(before + block + after))
	if err != nil {
		return document
	}
	for e := range root.Walk() {
		if e.Name().Local == "SignedInfo" && strings.Contains(string(e.Canonical()), `URI="#`+id[1]+`"`) {
			block = signatureValue.ReplaceAllString(block, "${1}"+base64.StdEncoding.EncodeToString(signECDSA(e.Canonical(), key)))
		}
	}
	return before + block + after
}

// signECDSA signs as XML signatures want it: both numbers, one behind the other.
func signECDSA(content []byte, key *ecdsa.PrivateKey) []byte {
	sum := sha256.Sum256(content)
	r, s, err := ecdsa.Sign(crand.Reader, key, sum[:])
	if err != nil {
		panic(err)
	}
	return slices.Concat(padded(r), padded(s))
}

func padded(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }
