package clientauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/trust/jose"
)

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
