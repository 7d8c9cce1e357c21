package authorize

import (
	"context"
	"errors"

	"apostille/trust/jose"
)

// Keys finds our own published keys; *keyring.Ring implements it.
type Keys interface {
	Lookup(ctx context.Context, trustID, kid string, alg jose.Alg) ([]jose.Key, uint64, error)
}

// errHintKey says that a hint was signed with a key that is not published any more: it may have been ours.
var errHintKey = errors.New("id_token_hint: no such key")

// hintSubject verifies an id_token_hint: an ID token of ours, made for this client. It may have expired (OpenID Connect Core §3.1.2.1).
// It returns the sub as the client knows it.
func hintSubject(ctx context.Context, keys Keys, issuer, client, raw string) (string, error) {
	t, err := jose.Parse(raw)
	if err != nil {
		return "", errors.New("id_token_hint is not a well-formed ID token")
	}
	if t.Header.Typ != "" && t.Header.Typ != "jwt" {
		return "", errors.New("id_token_hint is another type of token")
	}
	found, _, err := keys.Lookup(ctx, "", t.Header.Kid, t.Header.Alg)
	if err != nil || len(found) == 0 {
		return "", errHintKey
	}
	verified := false
	for _, k := range found {
		verified = verified || t.Verify(k) == nil
	}
	if !verified {
		return "", errors.New("the signature of id_token_hint is not valid")
	}
	sub, _ := t.Claims["sub"].(string)
	if t.Claims["iss"] != issuer || sub == "" || !addressed(t.Claims, client) {
		return "", errors.New("id_token_hint is not an ID token for this client")
	}
	return sub, nil
}

// addressed says that the claims are those of an ID token for the client. An access token has a scope, a logout token has events:
// both are signed with the same keys (RFC 8725 §3.12).
func addressed(claims map[string]any, client string) bool {
	for _, foreign := range []string{"scope", "client_id", "events"} {
		if _, has := claims[foreign]; has {
			return false
		}
	}
	return claims["aud"] == client
}
