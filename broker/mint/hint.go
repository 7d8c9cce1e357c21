package mint

import (
	"context"
	"errors"

	"apostille/trust/jose"
)

// Published finds our own published keys; *keyring.Ring implements it.
type Published interface {
	Lookup(ctx context.Context, trustID, kid string, alg jose.Alg) ([]jose.Key, uint64, error)
}

// ErrHintKey says that a hint was signed with a key that is not published any more: it may have been ours.
var ErrHintKey = errors.New("id_token_hint: no such key")

// Hint is what an ID token of ours says that comes back as id_token_hint.
type Hint struct {
	Client string // it was made for
	Sub    string // as that client knows it
	SID    string // trust.SID of the session; "" = none
}

// ReadHint verifies an id_token_hint: an ID token of ours. It may have expired (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2).
// Errors may be shown to whoever sent it.
func ReadHint(ctx context.Context, keys Published, issuer, raw string) (Hint, error) {
	t, err := jose.Parse(raw)
	if err != nil {
		return Hint{}, errors.New("id_token_hint is not a well-formed ID token")
	}
	if t.Header.Typ != "" && t.Header.Typ != "jwt" {
		return Hint{}, errors.New("id_token_hint is another type of token")
	}
	found, _, err := keys.Lookup(ctx, "", t.Header.Kid, t.Header.Alg)
	if err != nil || len(found) == 0 {
		return Hint{}, ErrHintKey
	}
	verified := false
	for _, k := range found {
		verified = verified || t.Verify(k) == nil
	}
	if !verified {
		return Hint{}, errors.New("the signature of id_token_hint is not valid")
	}
	var h Hint
	h.Client, _ = t.Claims["aud"].(string)
	h.Sub, _ = t.Claims["sub"].(string)
	h.SID, _ = t.Claims["sid"].(string)
	if t.Claims["iss"] != issuer || h.Sub == "" || h.Client == "" || !isIDToken(t.Claims) {
		return Hint{}, errors.New("id_token_hint is not an ID token of this server")
	}
	return h, nil
}

// isIDToken tells ID tokens from what else is signed with the same keys: an access token has a scope, a logout token has events
// (RFC 8725 §3.12).
func isIDToken(claims map[string]any) bool {
	for _, foreign := range []string{"scope", "client_id", "events"} {
		if _, has := claims[foreign]; has {
			return false
		}
	}
	return true
}
