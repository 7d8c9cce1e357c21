package xmlsec

import (
	"crypto"
	"encoding/base64"
	"net/url"
	"strings"
)

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

// maxQuery bounds a query, in bytes. What it inflates to is bounded by who inflates it.
const maxQuery = 64 << 10

// queryOrder is the order in which parameters are signed, whatever their order in the URL (SAML Bindings 2.0 §3.4.4.1).
var queryOrder = []string{"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg"}

// ParseQuery reads the query of a URL, raw as it came. SAMLRequest and SAMLResponse exclude each other; these, RelayState, SigAlg and Signature
// come at most once, and SigAlg only together with Signature. Other parameters are ignored: no signature covers them. Errors wrap ErrQuery.
func ParseQuery(raw string) (Query, error) {
	values, err := queryValues(raw)
	if err != nil {
		return Query{}, err
	}
	q := Query{Parameter: "SAMLRequest"}
	message, isRequest := values["SAMLRequest"]
	if response, ok := values["SAMLResponse"]; ok {
		q.Parameter, message = "SAMLResponse", response
		if isRequest {
			return Query{}, faultf(ErrQuery, "SAMLRequest and SAMLResponse together")
		}
	}
	if q.Message, err = base64.StdEncoding.Strict().DecodeString(message.decoded); err != nil || len(q.Message) == 0 {
		return Query{}, faultf(ErrQuery, "expected SAMLRequest or SAMLResponse in base64")
	}
	q.RelayState, q.method = values["RelayState"].decoded, values["SigAlg"].decoded
	signature, signed := values["Signature"]
	if _, named := values["SigAlg"]; named != signed {
		return Query{}, faultf(ErrQuery, "SigAlg and Signature come together")
	}
	if !signed {
		return q, nil
	}
	q.Signed = true
	if q.signature, err = base64.StdEncoding.Strict().DecodeString(signature.decoded); err != nil || len(q.signature) == 0 {
		return Query{}, faultf(ErrQuery, "Signature is not base64")
	}
	var octets []string
	for _, name := range queryOrder {
		if v, ok := values[name]; ok {
			octets = append(octets, v.raw)
		}
	}
	q.octets = strings.Join(octets, "&")
	return q, nil
}

// queryValue is a parameter that matters: "name=value" as it stood in the URL, and its value decoded.
type queryValue struct{ raw, decoded string }

func queryValues(raw string) (map[string]queryValue, error) {
	if len(raw) > maxQuery {
		return nil, faultf(ErrQuery, "more than %d bytes", maxQuery)
	}
	values := map[string]queryValue{}
	for parameter := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(parameter, "=")
		decoded, err := url.QueryUnescape(name)
		if err != nil {
			return nil, faultf(ErrQuery, "a name is not URL-encoded")
		}
		switch decoded {
		case "SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature":
		default:
			continue
		}
		if _, twice := values[decoded]; twice || decoded != name {
			return nil, faultf(ErrQuery, "%s comes twice, or its name is encoded", decoded)
		}
		if decoded, err = url.QueryUnescape(value); err != nil {
			return nil, faultf(ErrQuery, "%s is not URL-encoded", name)
		}
		values[name] = queryValue{parameter, decoded}
	}
	return values, nil
}

// Verify checks the signature with each key, over the octets of the URL itself. Errors wrap ErrUnsigned, ErrAlgorithm or ErrSignature.
func (q Query) Verify(keys []crypto.PublicKey) error {
	if !q.Signed {
		return ErrUnsigned
	}
	m, ok := signatureMethods[q.method]
	if !ok {
		return faultf(ErrAlgorithm, "SigAlg is not RSA or ECDSA with SHA-256 or better")
	}
	return m.verify(keys, []byte(q.octets), q.signature)
}

// SignQuery makes the query of a message: parameter is SAMLRequest or SAMLResponse, deflated its compressed bytes; an empty relayState is left
// out. The key decides the algorithm, as in Sign.
func SignQuery(parameter string, deflated []byte, relayState string, key crypto.Signer) (string, error) {
	name, m, err := methodOf(key)
	if err != nil {
		return "", err
	}
	query := parameter + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated))
	if relayState != "" {
		query += "&RelayState=" + url.QueryEscape(relayState)
	}
	query += "&SigAlg=" + url.QueryEscape(name)
	value, err := m.sign(key, []byte(query))
	if err != nil {
		return "", err
	}
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(value)), nil
}
