package authorize

import (
	"context"
	"errors"

	"apostille/broker/mint"
)

// Keys finds our own published keys; *keyring.Ring implements it.
type Keys = mint.Published

// hintSubject verifies an id_token_hint of this client and returns the sub as the client knows it.
func hintSubject(ctx context.Context, keys Keys, issuer, client, raw string) (string, error) {
	h, err := mint.ReadHint(ctx, keys, issuer, raw)
	if err != nil {
		return "", err
	}
	if h.Client != client {
		return "", errors.New("id_token_hint is not an ID token for this client")
	}
	return h.Sub, nil
}
