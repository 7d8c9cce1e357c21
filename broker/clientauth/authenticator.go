package clientauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/trust/jose"
)

// Methods are the `token_endpoint_auth_methods_supported`, in the order discovery lists them.
var Methods = []string{"client_secret_basic", "client_secret_post", "private_key_jwt"}

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
}

// Error is a refusal. Client is who it claims to be, "" if it did not say.
type Error struct {
	Reason trust.Reason // ReasonClientAuth, ReasonRequest or ReasonStore
	Client string
	Detail string // for the admin; never a secret
	Public string // what the client may be told beyond the standard text; "" = nothing
	Basic  bool   // it tried HTTP Basic: a 401 must carry a challenge (RFC 6749 §5.2)
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
		return "", &Error{Reason: trust.ReasonClientAuth, Client: q.Params.Get("client_id"), Detail: "client_id without authentication"}
	case n == 0:
		return "", nil
	case assertion:
		return a.assertion(ctx, q)
	case header:
		return a.basic(q)
	}
	return a.secret(q, q.Params.Get("client_id"), q.Params.Get("client_secret"), false)
}

// basic reads the header; both parts are form-encoded (RFC 6749 §2.3.1).
func (a *Authenticator) basic(q Request) (string, error) {
	bad := func(detail string) error {
		return &Error{Reason: trust.ReasonClientAuth, Detail: detail, Basic: true}
	}
	if len(q.Authorization) > 1 {
		return "", bad("several Authorization headers")
	}
	scheme, encoded, _ := strings.Cut(q.Authorization[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", bad("Authorization scheme is not Basic")
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", bad("Basic credentials are not base64")
	}
	rawID, rawSecret, ok := strings.Cut(string(raw), ":")
	id, err1 := url.QueryUnescape(rawID)
	secret, err2 := url.QueryUnescape(rawSecret)
	if !ok || err1 != nil || err2 != nil {
		return "", bad("Basic credentials are not form-encoded id:secret")
	}
	if named := q.Params.Get("client_id"); named != "" && named != id {
		return "", bad("client_id differs from the Basic credentials")
	}
	return a.secret(q, id, secret, true)
}

// decoy is compared against where there is no client, so that an unknown client takes as long as a wrong secret.
var decoy = [][32]byte{sha256.Sum256([]byte("no client has this secret"))}

func (a *Authenticator) secret(q Request, id, secret string, basic bool) (string, error) {
	bad := func(detail string) error {
		return &Error{Reason: trust.ReasonClientAuth, Client: id, Detail: detail, Basic: basic}
	}
	client, known := q.Clients.Client(id)
	stored := q.Credentials[id].SecretSHA256
	usable := known && !client.Spec.Disabled && len(stored) > 0
	if !usable {
		stored = decoy
	}
	sum := sha256.Sum256([]byte(secret))
	match := 0
	for i := range stored {
		match |= subtle.ConstantTimeCompare(sum[:], stored[i][:])
	}
	switch {
	case !known:
		return "", bad("no such client")
	case client.Spec.Disabled:
		return "", bad("the client is disabled")
	case !usable:
		return "", bad("the client is not registered with a secret")
	case match != 1:
		return "", bad("the secret does not match")
	}
	return id, nil
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// assertionLife is how far ahead an assertion may expire: it bounds the replay marks.
const assertionLife = time.Hour

// assertion authenticates by private_key_jwt (RFC 7523 §3, OpenID Connect Core §9).
func (a *Authenticator) assertion(ctx context.Context, q Request) (string, error) {
	claimed := q.Params.Get("client_id")
	bad := func(detail, public string, cause error) error {
		return &Error{Reason: trust.ReasonClientAuth, Client: claimed, Detail: detail, Public: public, Cause: cause}
	}
	if got := q.Params.Get("client_assertion_type"); got != oauth.AssertionTypeJWT {
		return "", bad("unexpected client_assertion_type", "client_assertion_type must be "+oauth.AssertionTypeJWT, nil)
	}
	token, err := jose.Parse(q.Params.Get("client_assertion"))
	if err != nil {
		return "", bad("client assertion is malformed", "", err)
	}
	iss, _ := token.Claims["iss"].(string)
	sub, _ := token.Claims["sub"].(string)
	if iss == "" || iss != sub || (claimed != "" && claimed != iss) {
		return "", bad("iss, sub and client_id differ", "iss and sub of the client assertion must be the client_id", nil)
	}
	claimed = iss
	client, known := q.Clients.Client(iss)
	keys := q.Credentials[iss].JWKS
	if !known || client.Spec.Disabled || keys == nil {
		return "", bad("no such client, disabled, or not registered with keys", "", nil)
	}
	if err := verify(token, keys); err != nil {
		return "", bad("client assertion signature", "", err)
	}
	if typ := token.Header.Typ; typ != "" && typ != "jwt" && typ != "client-authentication+jwt" {
		return "", bad("typ is "+typ, "typ of the client assertion must be client-authentication+jwt or JWT", nil)
	}
	// RFC 7523bis: the audience is our issuer, alone and as a string. A token endpoint or a list is how one server's
	// assertion gets used at another.
	if aud, ok := token.Claims["aud"].(string); !ok || aud != q.Clients.Issuer() {
		return "", bad("aud is not our issuer as a string", "aud of the client assertion must be the string "+q.Clients.Issuer(), nil)
	}
	exp, detail := a.expiry(token.Claims)
	if detail != "" {
		return "", bad(detail, detail, nil)
	}
	jti, _ := token.Claims["jti"].(string)
	if jti == "" || len(jti) > 256 {
		return "", bad("jti missing or too long", "the client assertion needs a jti of at most 256 characters", nil)
	}
	first, err := a.Replay.Claim(ctx, "client_assertion", iss, jti, exp.Add(trust.Skew))
	if err != nil {
		return "", &Error{Reason: trust.ReasonStore, Client: iss, Detail: "claiming jti", Cause: err}
	}
	if !first {
		return "", bad("jti was used before", "the client assertion was used before", nil)
	}
	return iss, nil
}

// verify tries each key that fits.
func verify(token *jose.Token, keys *jose.Set) error {
	err := errors.New("no key fits kid and alg")
	for _, k := range keys.Lookup(token.Header.Kid, token.Header.Alg) {
		if err = token.Verify(k); err == nil {
			return nil
		}
	}
	return err
}

// expiry checks exp, nbf and iat of an assertion; detail is "" if they hold.
func (a *Authenticator) expiry(claims map[string]any) (exp time.Time, detail string) {
	now := a.Now()
	exp, ok := jose.NumericDate(claims["exp"])
	switch {
	case !ok:
		return exp, "the client assertion needs exp, a number"
	case !now.Before(exp.Add(trust.Skew)):
		return exp, "the client assertion has expired"
	case exp.After(now.Add(assertionLife + trust.Skew)):
		return exp, fmt.Sprintf("the client assertion may live for %s at most", assertionLife)
	}
	for _, name := range []string{"nbf", "iat"} {
		if v, present := claims[name]; present {
			t, ok := jose.NumericDate(v)
			if !ok || t.After(now.Add(trust.Skew)) {
				return exp, "the client assertion's " + name + " is not a number or lies ahead"
			}
		}
	}
	return exp, ""
}
