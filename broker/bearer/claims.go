package bearer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"apostille/trust/jose"
)

const notAccessToken = "not an access token"

// claimFault is a refusal for what a token says.
type claimFault struct {
	description string // fit for strangers
	cause       error
}

// marks are claims that only other kinds of token have: ID tokens (OIDC Core §3.1.3.6, §3.3.2.11), logout and event tokens
// (RFC 8417), DPoP proofs (RFC 9449 §4.2).
var marks = []string{"nonce", "at_hash", "c_hash", "s_hash", "events", "htm", "htu"}

// read checks the claims of a token whose signature is good (RFC 9068 §2.2, §4).
func (g *Guard) read(claims map[string]any) (Principal, *claimFault) {
	p := Principal{Issuer: g.c.Issuer, Claims: claims}
	if err := kind(claims); err != nil {
		return Principal{}, &claimFault{notAccessToken, err}
	}
	if _, bound := claims["cnf"]; bound {
		return Principal{}, &claimFault{"tokens bound to a key are not accepted here", errors.New("cnf present")}
	}
	var err error
	if p.Audience, err = audience(claims["aud"]); err != nil {
		return Principal{}, &claimFault{notAccessToken, err}
	}
	if !slices.Contains(p.Audience, g.c.Audience) {
		return Principal{}, &claimFault{"issued for another audience; ask for " + g.c.Audience, errors.New("aud names others only")}
	}
	if fault := g.times(claims, &p); fault != nil {
		return Principal{}, fault
	}
	for _, f := range []struct {
		name string
		to   *string
	}{{"sub", &p.Subject}, {"client_id", &p.ClientID}, {"jti", &p.ID}} {
		if *f.to, _ = claims[f.name].(string); *f.to == "" {
			return Principal{}, &claimFault{notAccessToken, fmt.Errorf("%s is absent or not a string", f.name)}
		}
	}
	scope, ok := claims["scope"].(string) // may be empty: a token for who someone is, not for what they may do
	if !ok {
		return Principal{}, &claimFault{notAccessToken, errors.New("scope is absent or not a string")}
	}
	p.Scopes = strings.Fields(scope)
	p.Origin, _ = claims["idp"].(string)
	return p, nil
}

func kind(claims map[string]any) error {
	for _, m := range marks {
		if _, has := claims[m]; has {
			return fmt.Errorf("claim %s marks another kind of token", m)
		}
	}
	return nil
}

// audience reads a string or a non-empty array of strings (RFC 7519 §4.1.3).
func audience(v any) ([]string, error) {
	if s, ok := v.(string); ok {
		return []string{s}, nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, errors.New("aud is absent, empty or of a wrong type")
	}
	var out []string
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, errors.New("aud holds something else than strings")
		}
		out = append(out, s)
	}
	return out, nil
}

// times checks exp and iat, which must be there, and nbf, which may.
func (g *Guard) times(claims map[string]any, p *Principal) *claimFault {
	var notBefore time.Time
	for _, d := range []struct {
		name     string
		to       *time.Time
		required bool
	}{{"exp", &p.Expires, true}, {"iat", &p.Issued, true}, {"nbf", &notBefore, false}} {
		v, has := claims[d.name]
		if !has && !d.required {
			continue
		}
		t, ok := jose.NumericDate(v)
		if !ok {
			return &claimFault{notAccessToken, fmt.Errorf("%s is absent or not a number of seconds", d.name)}
		}
		*d.to = t
	}
	now := g.c.Now()
	switch {
	case !now.Before(p.Expires.Add(g.c.Skew)): // RFC 7519 §4.1.4: on or after exp
		return &claimFault{"the access token has expired", fmt.Errorf("exp %s", p.Expires.UTC().Format(time.RFC3339))}
	case now.Add(g.c.Skew).Before(p.Issued), now.Add(g.c.Skew).Before(notBefore):
		return &claimFault{"the access token is not valid yet", errors.New("iat or nbf in the future")}
	}
	return nil
}
