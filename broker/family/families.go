package family

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"apostille/broker/mint"
	"apostille/broker/seal"
	"apostille/broker/store"
	"apostille/exchange"
	"apostille/trust"
	"apostille/upstream"
)

// CodeLife is how long a code may be redeemed (RFC 6749 §4.1.2 allows ten minutes, RFC 9700 wants it short).
const CodeLife = 60 * time.Second

// Sessions looks up SSO sessions; broker/store implements it.
type Sessions interface {
	ListSessions(ctx context.Context, q store.SessionQuery, limit int) ([]store.Session, error)
}

// Claims asks an upstream again for the claims of a person, with the refresh token it gave at sign-in; upstream/oidc implements it. Errors
// are *upstream.Error.
type Claims interface {
	Refresh(ctx context.Context, t *trust.Trust, refreshToken string) (upstream.Login, error)
}

// Families issues codes and redeems them. Do not copy after first use.
type Families struct {
	Store    store.Families
	Sessions Sessions
	Claims   Claims        // nil: no trust has refresh_claims
	Sources  store.Sources // what upstreams gave since; needed where Claims is
	Box      *seal.Box     // seals upstream refresh tokens; nil: none are kept
	Now      func() time.Time

	flights flights
}

// SignIn is what the authorization endpoint has granted.
type SignIn struct {
	Subject      trust.Subject // CredentialLogin
	Client       string
	RedirectURI  string // where the code goes
	RedirectSent bool   // the request named it: redeeming must name it too (RFC 6749 §4.1.3)
	Challenge    string // PKCE, S256; "" = none, only for a client that may leave it out
	Nonce        string // "" = none
	// Scopes and Resources that the sign-in was granted: no token of the family is ever given more.
	Scopes, Resources []string
	Session           string  // store.Session.ID; ends with it. "" = of no session
	SID               string  // of ID tokens, see trust.SID
	ClaimsParam       []byte  // `claims` of the request, JSON (OpenID Connect Core §5.5); nil = none
	Upstream          string  // upstream.Login.Refresh: kept sealed, to keep claims fresh; "" = none
	NameID            *NameID // of a SAML application, see Attend; nil = it is none
}

// IssueCode makes a code for a sign-in.
func (f *Families) IssueCode(ctx context.Context, s SignIn) (string, error) {
	if s.Subject.Credential != trust.CredentialLogin || s.Client == "" || s.RedirectURI == "" {
		return "", errors.New("family: a code needs a sign-in, a client and a redirect URI")
	}
	value, err := f.recordOf(s).encode()
	if err != nil {
		return "", err
	}
	code := mint.NewSecret()
	err = f.Store.PutCode(ctx, store.Code{Hash: hash(code), Value: value, Session: s.Session, Until: f.Now().Add(CodeLife)})
	if err != nil {
		return "", fmt.Errorf("family: storing a code: %w", err)
	}
	return code, nil
}

func hash(secret string) store.Hash { return sha256.Sum256([]byte(secret)) }

func refuse(reason trust.Reason, detail string) *exchange.Refusal {
	return &exchange.Refusal{Reason: reason, Detail: detail}
}

func storeFault(doing string, err error) *exchange.Refusal {
	return &exchange.Refusal{Reason: trust.ReasonStore, Detail: doing, Cause: err}
}

// earlier is the lesser of two times.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// refreshOf is the row of a refresh token.
func (f *Families) refreshOf(secret string, app *trust.Client, fam store.Family) *store.Refresh {
	idle := positive(app.Spec.App.RefreshIdle, trust.DefaultRefreshIdle)
	return &store.Refresh{Hash: hash(secret), Family: fam.ID, Until: earlier(f.Now().Add(idle), fam.Until)}
}

func positive(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
