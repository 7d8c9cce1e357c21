// Package upstream says what a login with an identity provider of another domain is, whatever protocol it speaks. upstream/oidc
// is the relying party, upstream/saml the service provider.
//
// A Provider turns a browser's answer into a trust.Subject, or an error: VERIFY for people. What the subject may get is
// trust.Evaluate's; where the person came from and goes to is broker/authflow's.
package upstream

import (
	"context"
	"net/url"
	"time"

	"apostille/trust"
)

// Ask says what a login is to achieve. The zero value is an ordinary one.
type Ask struct {
	Force     bool          // prompt=login: the person must authenticate again
	Select    bool          // prompt=select_account
	MaxAge    time.Duration // authenticated at most this long ago; meaningful with HasMaxAge
	HasMaxAge bool
	LoginHint string
	ACRValues []string // ours, in order of preference
	Locales   []string
}

// Start is a login that was begun: where the browser goes, and what must be remembered until it returns.
type Start struct {
	URL    string     // of the upstream; GET, or with Form POST
	Form   url.Values // what the browser posts there; nil = nothing
	Secret []byte     // nonce, verifier and what else Finish needs: stored encrypted or server-side only, at most 1 KB
}

// Answer is what came back with the browser at the trust's callback.
type Answer struct {
	Secret []byte // Start.Secret
	Params url.Values
	Ask    Ask
	Begun  time.Time // when Begin was called
}

// Login is a finished login.
type Login struct {
	Subject trust.Subject // CredentialLogin; Expires is the end of what may rest on it (session_max)
	IDToken string        // raw, for id_token_hint at the upstream's logout; of SAML what names the session there; "" = none
	Refresh string        // upstream refresh token, only if the trust keeps claims fresh with it; "" = none
	// OnceUntil: the credential signs somebody in once, and (Subject.Issuer, Subject.TokenID) MUST be claimed until then before it
	// does; zero = Begin and Finish see to it.
	OnceUntil time.Time
}

// Error is a failed login. What a person is told follows from Reason and Code; Detail and Cause are for the log and never for a page.
type Error struct {
	// Reason is ReasonUpstreamError, ReasonUpstreamDown, ReasonLoginRequired, ReasonLoginState (the answer is not of this login),
	// ReasonRequest (it is no answer), ReasonTrustNotLive or any of VERIFY's.
	Reason trust.Reason
	Code   string // the upstream's error code if it is a well-known one (access_denied, login_required, …); else ""
	Detail string // for the admin; never a token, code or secret
	Cause  error
}

func (e *Error) Error() string { return string(e.Reason) + ": " + e.Detail }
func (e *Error) Unwrap() error { return e.Cause }

// Provider talks to one upstream for logins. Errors are *Error. Implementations are safe for concurrent use.
type Provider interface {
	// Begin makes the request that takes the browser to the upstream. state comes back as `state` (SAML: RelayState); redirect is our
	// callback for this trust.
	Begin(ctx context.Context, t *trust.Trust, state, redirect string, ask Ask) (Start, error)
	// Finish turns the answer into a subject. It MUST make every check of VERIFY; state has been matched by the caller.
	Finish(ctx context.Context, t *trust.Trust, redirect string, a Answer) (Login, error)
}

// Screener is a Provider whose answers are posted and large.
type Screener interface {
	// Screen makes the checks of Finish, which it does not stand for, before anything of an answer is kept: whoever posts it may be anybody.
	// id is the credential's, one of its kind for the trust's issuer, so that no more than one answer is kept of it. Errors are *Error.
	Screen(ctx context.Context, t *trust.Trust, redirect string, a Answer) (id string, err error)
}

// Unsolicited is a Provider that takes answers to requests that nobody made, of trusts that allow it.
type Unsolicited interface {
	// Sender finds whose answer it is, and that it is theirs; trusts finds the live trusts of an issuer. Finish without a Secret
	// then makes a login of it. Errors are *Error.
	Sender(ctx context.Context, trusts func(issuer string) []*trust.Trust, redirect string, params url.Values) (*trust.Trust, error)
}

// LogoutReceiver takes an upstream's word that a login there ended (OpenID Connect Back-Channel Logout §2.4).
type LogoutReceiver interface {
	// Logout verifies a logout token of the trust. At least one of sub (our subject) and sid (the upstream's) is set.
	Logout(ctx context.Context, t *trust.Trust, raw string) (LoggedOut, error)
}

// LoggedOut is a verified logout token. Its ID must be claimed once (kind "logout_token") before it takes effect.
type LoggedOut struct {
	Sub      string // our subject, "" if the token named none
	SID      string // the upstream's session
	Issuer   string
	TokenID  string
	Expires  time.Time
	IssuedAt time.Time
}

// FrontMessage is what a browser brought from an upstream to our logout service.
type FrontMessage struct {
	Query string     // raw, of a GET
	Form  url.Values // of a POST; nil = it was a GET
}

// FrontLogout is a verified message of an upstream about a logout.
type FrontLogout struct {
	Trust *trust.Trust
	// Answer: it answers a request of ours, and Done says whether the person was signed out there. Else LoggedOut says whose sessions ended
	// there, at least one, of which the IDs MUST be claimed; they are all of one message.
	Answer, Done bool
	LoggedOut    []LoggedOut
	// Reply is what the browser takes back, after the sessions ended here or did not.
	Reply func(done bool) (Start, error)
}

// FrontReceiver takes an upstream's word by way of a browser (SAML Profiles 2.0 §4.4).
type FrontReceiver interface {
	// FrontLogout verifies a message; trusts finds the live trusts of an issuer. Errors are *Error.
	FrontLogout(ctx context.Context, trusts func(issuer string) []*trust.Trust, m FrontMessage) (FrontLogout, error)
}

// MetadataPublisher is a Provider that upstreams read something of.
type MetadataPublisher interface {
	// Metadata is a signed document under one of our entityIDs; "" = the usual one.
	Metadata(entityID string) ([]byte, error)
}
