package upstream

import "apostille/trust"

// Refusal is why VERIFY made no subject of a credential: a stable reason, and a detail for the admin. Its text never holds the credential.
type Refusal struct {
	Reason trust.Reason
	Trust  string // the trust it was matched to, if that far
	Detail string
	Checks []trust.Check // made so far; the last one is what failed
	Cause  error
}

func (e *Refusal) Error() string { return string(e.Reason) + ": " + e.Detail }

// Unwrap gives the cause.
func (e *Refusal) Unwrap() error { return e.Cause }
