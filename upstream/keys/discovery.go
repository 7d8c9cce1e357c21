package keys

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"

	"apostille/trust/jose"
	"apostille/upstream/fetch"
)

// Discover fetches and reads an issuer's discovery document (OpenID Connect Discovery 1.0 §4) with a guarded client. §4.3: its `issuer` is
// exactly ours. Go-oidc reads it first, and then trust/jose strictly: both have to agree on the issuer, and no member stands twice.
// Errors quote nothing that the upstream said.
func Discover(ctx context.Context, client *http.Client, issuer string) (map[string]any, error) {
	strict := *client
	strict.Transport = wholeAnswer{client.Transport}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, &strict), issuer)
	if err != nil {
		return nil, &discoveryError{issuer: issuer, err: err}
	}
	var raw json.RawMessage
	if err := p.Claims(&raw); err != nil {
		return nil, &discoveryError{issuer: issuer, err: err}
	}
	doc, err := jose.DecodeObject(raw)
	if err != nil {
		return nil, &discoveryError{issuer: issuer, err: err}
	}
	if doc["issuer"] != issuer {
		return nil, &discoveryError{issuer: issuer, err: &oidc.IssuerMismatchError{Provided: issuer}}
	}
	return doc, nil
}

// discoveryError hides what the upstream said and keeps the chain for errors.Is and errors.As.
type discoveryError struct {
	issuer string
	err    error
}

func (e *discoveryError) Unwrap() error { return e.err }

func (e *discoveryError) Error() string {
	what := "is not a discovery document"
	var mismatch *oidc.IssuerMismatchError
	var wrapped interface{ Timeout() bool } // *url.Error: the request itself failed
	switch {
	case errors.As(e.err, &mismatch):
		what = "names another issuer"
	case errors.As(e.err, &wrapped):
		what = fetch.Describe(e.err)
	}
	return "discovery of " + e.issuer + ": " + what
}
