package exchange

import (
	"errors"

	"apostille/trust"
	"apostille/upstream"
)

// Refusal is why no subject came of a request.
type Refusal struct {
	Reason trust.Reason
	Trust  string // the trust it was matched to, "" if it did not get that far
	Detail string // for the admin; never a token
	Public string // what the client may be told beyond the reason's standard text; "" = nothing
	Code   string // an error code that a specification fixes for this very parameter; "" = by table
	Checks []trust.Check
	Cause  error
}

func (r *Refusal) Error() string { return string(r.Reason) + ": " + r.Detail }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// AsRefusal turns any error into a Refusal. What is not one is our own fault and refuses as such.
func AsRefusal(err error) *Refusal {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	var verify *upstream.Refusal
	if errors.As(err, &verify) {
		return &Refusal{Reason: verify.Reason, Trust: verify.Trust, Detail: verify.Detail, Checks: verify.Checks, Cause: verify.Cause}
	}
	return &Refusal{Reason: trust.ReasonPanic, Detail: "unexpected error", Cause: err}
}
