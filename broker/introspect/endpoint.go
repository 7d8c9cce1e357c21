package introspect

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"apostille/broker/audit"
	"apostille/broker/clientauth"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/broker/token"
	"apostille/exchange"
	"apostille/trust"
)

// Paths below the issuer's.
const (
	Path       = "/oauth2/introspect" // POST
	RevokePath = "/oauth2/revoke"     // POST
)

// Store is what is looked up and written; broker/store implements it.
type Store interface {
	Refresh(ctx context.Context, h store.Hash) (store.Refresh, store.Family, bool, error)
	Family(ctx context.Context, id string) (store.Family, bool, error)
	RevokeToken(ctx context.Context, jti string, until time.Time) error
	EndFamilies(ctx context.Context, q store.FamilyQuery, why string) ([]store.Family, error)
}

// Clients authenticates clients; *clientauth.Authenticator implements it.
type Clients interface {
	Authenticate(ctx context.Context, q clientauth.Request) (string, error)
}

// Endpoint answers both: itself at Path, Revoke at RevokePath. Every field is required.
type Endpoint struct {
	Policy    func() *token.Policy
	Clients   Clients
	Verifier  exchange.Verifier
	Standings token.Standings
	Store     Store
	Minter    *mint.Minter
	Gate      token.Gate
	Audit     audit.Recorder // revocations
	Remote    func(*http.Request) string
	Now       func() time.Time
	Log       *slog.Logger
	MaxBody   int64 // bytes
}

// caller is one request whose client has authenticated.
type caller struct {
	reg    *trust.Registry
	client string
	params oauth.Params
	id     string // correlation
}

// authenticated reads the form and finds out who asks. public says whether a client without a secret may (RFC 7009 §2.1).
func (e *Endpoint) authenticated(w http.ResponseWriter, r *http.Request, public bool) (caller, *oauth.Error) {
	policy := e.Policy()
	c := caller{reg: policy.Registry, id: mint.NewID()}
	w.Header().Set("X-Correlation-Id", c.id)
	params, bad := oauth.ReadForm(w, r, e.MaxBody)
	if bad != nil {
		return c, bad
	}
	c.params = params
	id, err := e.Clients.Authenticate(r.Context(), clientauth.Request{
		Clients: policy.Registry, Credentials: policy.Credentials, Authorization: r.Header.Values("Authorization"), Params: params, Public: public,
	})
	var auth *clientauth.Error
	switch {
	case errors.As(err, &auth):
		// Only who fails is counted: a gateway asks for a whole site from one address.
		if !policy.Limits.AllowIP(e.Remote(r), e.Now()) {
			return c, e.spelled(c, trust.ReasonRateLimited, nil)
		}
		out := e.spelled(c, auth.Reason, err)
		if auth.Public != "" {
			out.Description = oauth.Printable(auth.Public)
		}
		return c, out
	case err != nil:
		return c, e.spelled(c, trust.ReasonStore, err)
	case id == "":
		return c, e.spelled(c, trust.ReasonClientAuth, nil)
	case !params.Has("token"):
		return c, oauth.BadRequest("parameter token is missing")
	}
	c.client = id
	return c, nil
}

// spelled is a refusal in OAuth's words.
func (e *Endpoint) spelled(c caller, reason trust.Reason, cause error) *oauth.Error {
	out := oauth.ErrorFor("", reason, cause)
	if out.Status == http.StatusUnauthorized { // RFC 9110 §15.5.2
		out.Challenge = `Basic realm="` + oauth.Printable(c.reg.Issuer()) + `"`
	}
	if out.Status >= http.StatusInternalServerError {
		e.Log.Error("introspection or revocation failed", "id", c.id, "reason", string(reason), "error", out)
	}
	return out
}
