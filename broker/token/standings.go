package token

import (
	"context"
	"log/slog"

	"apostille/broker/store"
	"apostille/trust"
)

// Revocations says of an access token of ours whether it, or what it belongs to, was revoked; broker/store implements it.
type Revocations interface {
	TokenRevoked(ctx context.Context, jti, family string) (bool, error)
}

// Consents says what people allow applications; broker/store implements it.
type Consents interface {
	Consent(ctx context.Context, sub, client string) (store.Consent, bool, error)
}

// Known is everything that is known of a subject: Standings of a running server. What admins said comes from memory. Only what began here
// asks the store: our own tokens for their revocation, and sign-ins of third-party applications for consent. A foreign token costs no
// read.
type Known struct {
	Marks       *Marks
	Revocations Revocations
	Consents    Consents
	// FirstParty says of a client that its people are not asked; nil = of none.
	FirstParty func(client string) bool
	Log        *slog.Logger
}

// Standing loads what is known. Where the store does not answer it is the zero value, which refuses. Whether the family of a code or a
// refresh token lives is not asked again: whoever presents one has just read it, and spending it asks once more.
func (k *Known) Standing(ctx context.Context, s trust.Subject, client string) trust.Standing {
	st := k.Marks.Standing(s.Sub)
	if !st.Loaded {
		return st
	}
	if s.Credential == trust.CredentialOwnToken {
		revoked, err := k.Revocations.TokenRevoked(ctx, s.TokenID, s.Family)
		if err != nil {
			return k.unknown("revocation", err)
		}
		st.Revoked = revoked
	}
	if !s.SignedIn || client == "" || k.FirstParty != nil && k.FirstParty(client) {
		return st
	}
	consent, ok, err := k.Consents.Consent(ctx, s.Sub, client)
	if err != nil {
		return k.unknown("consent", err)
	}
	if ok {
		st.Consented = consent.Scopes
	}
	return st
}

// unknown says why a standing cannot be known.
func (k *Known) unknown(what string, err error) trust.Standing {
	k.Log.Error("standing of a subject", "asked", what, "error", err)
	return trust.Standing{}
}
