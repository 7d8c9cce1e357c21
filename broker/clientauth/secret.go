package clientauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strings"

	"apostille/trust"
)

// basic reads the header; both parts are form-encoded (RFC 6749 §2.3.1).
func (a *Authenticator) basic(q Request) (string, error) {
	bad := func(detail string) error {
		return &Error{Reason: trust.ReasonClientAuth, Detail: detail}
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
	return a.secret(q, id, secret)
}

// decoy is compared against where there is no client, so that an unknown client takes as long as a wrong secret.
var decoy = [][32]byte{sha256.Sum256([]byte("no client has this secret"))}

func (a *Authenticator) secret(q Request, id, secret string) (string, error) {
	bad := func(detail string) error {
		return &Error{Reason: trust.ReasonClientAuth, Client: id, Detail: detail}
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
