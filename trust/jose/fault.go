package jose

// Fault is a kind of error of Parse, Verify and Sign; errors.Is tells which. Error texts never hold token bytes.
type Fault string

func (f Fault) Error() string { return string(f) }

// Faults.
const (
	// ErrTooLarge: longer than MaxToken. Decided before anything else is looked at.
	ErrTooLarge Fault = "token too large"
	// ErrMalformed: not three canonical base64url parts that hold strict JSON objects and a signature.
	ErrMalformed Fault = "not a strict compact JWS"
	// ErrHeader: a header member that is not on the list, or has the wrong type or form.
	ErrHeader Fault = "header member not allowed"
	// ErrAlgorithm: an algorithm outside Alg, or one that the key may not be used with.
	ErrAlgorithm Fault = "algorithm not allowed"
	// ErrSignature: the signature does not verify, or cannot be made.
	ErrSignature Fault = "signature invalid"
)
