package xmlsec

import "fmt"

// Fault is a kind of error of this package; errors.Is tells which. Error texts hold positions and numbers, never content.
type Fault string

func (f Fault) Error() string { return string(f) }

// Faults.
const (
	// ErrTooLarge: beyond one of the limits of Parse.
	ErrTooLarge Fault = "XML beyond a limit"
	// ErrMalformed: not well-formed XML in UTF-8, or with something SAML has no use for: DOCTYPE, processing instruction, CDATA,
	// entity, a name outside ASCII, a comment inside text, an ID twice.
	ErrMalformed Fault = "XML not accepted"
	// ErrUnsigned: the element has no Signature child.
	ErrUnsigned Fault = "no signature on this element"
	// ErrShape: a Signature that is not exactly one enveloped signature over its parent.
	ErrShape Fault = "signature shape not allowed"
	// ErrAlgorithm: an algorithm outside the lists, or none that a given key may be used with.
	ErrAlgorithm Fault = "algorithm not allowed"
	// ErrSignature: no given key verifies the signature, or the digest is another.
	ErrSignature Fault = "signature invalid"
	// ErrDecrypt: any fault at all of something encrypted. It has no cause and no detail, or it would be an oracle.
	ErrDecrypt Fault = "cannot be decrypted"
	// ErrQuery: a query that is not one message of the redirect binding.
	ErrQuery Fault = "not a query of the redirect binding"
)

func faultf(f Fault, format string, args ...any) error {
	return fmt.Errorf("%w: %s", f, fmt.Sprintf(format, args...))
}
