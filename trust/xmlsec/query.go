package xmlsec

import "crypto"

// Query is a message in the redirect binding (SAML Bindings 2.0 §3.4), as it stood in the URL.
type Query struct {
	Parameter  string // SAMLRequest or SAMLResponse
	Message    []byte // DEFLATE-compressed, as it came out of base64
	RelayState string
	Signed     bool // a signature is there; only Verify says whether it holds

	octets    string // what is signed
	method    string
	signature []byte
}

// ParseQuery reads the query of a URL, raw as it came. SAMLRequest and SAMLResponse exclude each other; these, RelayState, SigAlg and Signature
// come at most once, SigAlg and Signature together. Other parameters are ignored: no signature covers them. Errors wrap ErrQuery.
func ParseQuery(raw string) (Query, error) {
	return Query{}, ErrQuery
}

// Verify checks the signature with each key, over the octets of the URL itself. Errors wrap ErrUnsigned, ErrAlgorithm or ErrSignature.
func (q Query) Verify(keys []crypto.PublicKey) error { return ErrSignature }

// SignQuery makes the query of a message: parameter is SAMLRequest or SAMLResponse, deflated its compressed bytes; an empty relayState is left
// out. The key decides the algorithm, as in Sign.
func SignQuery(parameter string, deflated []byte, relayState string, key crypto.Signer) (string, error) {
	return "", ErrSignature
}
