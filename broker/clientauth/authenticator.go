package clientauth

import (
	"context"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/trust/jose"
)

// Methods are the `token_endpoint_auth_methods_supported`, in the order discovery lists them.
var Methods = []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}

// AssertionAlgs are the `token_endpoint_auth_signing_alg_values_supported`: what the keys of a client may sign with.
func AssertionAlgs() []jose.Alg { return jose.Algs() }

// Credential is how a client proves itself: exactly one of the two.
type Credential struct {
	SecretSHA256 [][32]byte // one, or two while a secret is being changed
	JWKS         *jose.Set  // private_key_jwt
}

// Replay remembers used assertions; broker/store implements it.
type Replay interface {
	Claim(ctx context.Context, kind, issuer, id string, until time.Time) (first bool, err error)
}

// Directory is what one generation of the policy knows of clients.
type Directory interface {
	Client(id string) (*trust.Client, bool)
	Issuer() string
}

// Authenticator authenticates clients. Safe for concurrent use.
type Authenticator struct {
	Replay Replay
	Now    func() time.Time
}

// Request is what of a request concerns client authentication.
type Request struct {
	Clients       Directory
	Credentials   map[string]Credential
	Authorization []string // values of the Authorization header
	Params        oauth.Params
	// Public lets a public application name itself by client_id alone (RFC 6749 §2.3, method "none"). An endpoint sets it only where
	// something else proves who asks: a code with its verifier, or a refresh token.
	Public bool
}

// Error is a refusal. Client is who it claims to be, "" if it did not say.
type Error struct {
	Reason trust.Reason // ReasonClientAuth, ReasonRequest or ReasonStore
	Client string
	Detail string // for the admin; never a secret
	Public string // what the client may be told beyond the standard text; "" = nothing
	Cause  error
}

func (e *Error) Error() string { return string(e.Reason) + ": " + e.Detail }
func (e *Error) Unwrap() error { return e.Cause }

// Authenticate returns the authenticated client_id, or "" if the request brings no authentication at all.
func (a *Authenticator) Authenticate(ctx context.Context, q Request) (string, error) {
	assertion := q.Params.Has("client_assertion") || q.Params.Has("client_assertion_type")
	secret := q.Params.Has("client_secret")
	header := len(q.Authorization) > 0
	switch n := count(assertion, secret, header); {
	case n > 1:
		return "", &Error{Reason: trust.ReasonRequest, Detail: "more than one way of client authentication", Public: "use one way of client authentication only"} // RFC 6749 §2.3
	case n == 0 && q.Params.Has("client_id"):
		return a.public(q, q.Params.Get("client_id"))
	case n == 0:
		return "", nil
	case assertion:
		return a.assertion(ctx, q)
	case header:
		return a.basic(q)
	}
	return a.secret(q, q.Params.Get("client_id"), q.Params.Get("client_secret"))
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}
