package saml

import (
	"errors"
	"strconv"

	"apostille/trust"
	"apostille/trust/xmlsec"
	"apostille/upstream"
)

// Names of checks, as explain prints them.
const (
	checkFormat    = "format"
	checkIssuer    = "issuer"
	checkTrust     = "trust"
	checkSignature = "signature"
	checkShape     = "shape"
	checkTimes     = "times"
	checkAudience  = "audience"
	checkCondition = "conditions"
	checkConfirm   = "confirmation"
	checkTokenID   = "assertion id"
	checkSubject   = "subject"
	checkClaims    = "attributes"

	checkStatus   = "status"
	checkEnvelope = "response"
	checkDecrypt  = "decryption"
)

// Error is a refusal. Its text never holds the assertion.
type Error = upstream.Refusal

// fault is why an examination ends.
type fault struct {
	reason trust.Reason
	check  string
	detail string
	cause  error
}

func faulty(reason trust.Reason, check, detail string) *fault {
	return &fault{reason, check, detail, nil}
}

// xmlFault says what the reader or the verifier of XML refused. Their texts hold positions and numbers, never content.
func xmlFault(check string, err error) *fault {
	reason := trust.ReasonMalformed
	switch {
	case errors.Is(err, xmlsec.ErrTooLarge):
		reason = trust.ReasonTooLarge
	case errors.Is(err, xmlsec.ErrAlgorithm):
		reason = trust.ReasonAlgorithm
	case errors.Is(err, xmlsec.ErrUnsigned), errors.Is(err, xmlsec.ErrSignature):
		reason = trust.ReasonSignature
	}
	return &fault{reason, check, err.Error(), err}
}

// quote joins words of ours and a value of theirs, bounded and made harmless for logs and terminals.
func quote(words, value string) string {
	const limit = 200
	if len(value) > limit {
		value = value[:limit] + "…"
	}
	return words + strconv.Quote(value)
}
