package family

import (
	"context"
	"encoding/json"
	"time"

	"apostille/broker/store"
	"apostille/exchange"
	"apostille/trust"
)

// sourcePurpose binds sealed sources to this place.
const sourcePurpose = "family-source"

// given is what an upstream gave last for one login: store.Source.Value, sealed. The families of the login share it, for an upstream that
// rotates takes a refresh token once, and may end the whole login when it sees one again.
type given struct {
	Token string          `json:"token"` // refresh token for the next time
	Login json.RawMessage `json:"login"` // trust.EncodeLogin
	At    time.Time       `json:"at"`

	sealed []byte // as it is stored; nil = it is not
}

// sourceOf is the source of a family whose login gave the refresh token seed, before it has a value.
func sourceOf(fam store.Family, seed string, until time.Time) source {
	key, _ := json.Marshal([]string{fam.Session, fam.Trust, fam.Sub, seed}) // of texts: never fails
	return source{store.Source{Hash: hash(string(key)), Session: fam.Session, Trust: fam.Trust, Until: until}, seed}
}

type source struct {
	store.Source
	seed string
}

// askOnce asks the upstream that a login came from, unless another family of it has just done so.
func (f *Families) askOnce(ctx context.Context, t *trust.Trust, s source, sub string) (given, error) {
	return f.flights.do(s.Hash, func() (given, error) {
		last, err := f.lastGiven(ctx, s.Hash)
		if err != nil || f.young(last.At) {
			return last, err
		}
		token := s.seed
		if last.sealed != nil {
			token = last.Token
		}
		next, err := f.askWith(ctx, t, token, sub)
		if err == nil {
			return f.keep(ctx, s.Source, last, next)
		}
		// Another process may have been faster with the same token: then its answer counts.
		if again, fault := f.lastGiven(ctx, s.Hash); fault == nil && f.young(again.At) {
			return again, nil
		}
		return given{}, err
	})
}

// lastGiven reads a source; the zero value if the upstream was never asked.
func (f *Families) lastGiven(ctx context.Context, h store.Hash) (g given, err error) {
	s, ok, err := f.Sources.Source(ctx, h)
	if err != nil {
		return given{}, storeFault("reading what an upstream gave", err)
	}
	if !ok {
		return given{}, nil
	}
	plain, err := f.Box.Open(sourcePurpose, string(s.Value))
	if err == nil {
		err = json.Unmarshal(plain, &g)
	}
	g.sealed = s.Value
	return g, err
}

// askWith asks the upstream. An answer about somebody else is nobody's.
func (f *Families) askWith(ctx context.Context, t *trust.Trust, token, sub string) (given, error) {
	login, err := f.Claims.Refresh(ctx, t, token)
	if err != nil {
		return given{}, upstreamFault(t, err)
	}
	if login.Subject.Sub != sub || login.Subject.Trust != t.ID {
		return given{}, &exchange.Refusal{Reason: trust.ReasonSubject, Trust: t.ID, Detail: "the upstream answered about somebody else"}
	}
	if login.Refresh != "" {
		token = login.Refresh
	}
	encoded, err := trust.EncodeLogin(login.Subject)
	return given{Token: token, Login: encoded, At: f.Now()}, err
}

// keep stores what was given, at once: the token before it may be worth nothing any more.
func (f *Families) keep(ctx context.Context, s store.Source, last, next given) (given, error) {
	plain, err := json.Marshal(next)
	if err != nil {
		return given{}, err
	}
	s.Value = []byte(f.Box.Seal(sourcePurpose, plain))
	won, err := f.Sources.PutSource(ctx, s, last.sealed)
	if err != nil {
		return given{}, storeFault("storing what an upstream gave", err)
	}
	if won {
		return next, nil
	}
	other, err := f.lastGiven(ctx, s.Hash) // another process was faster, or the session has ended
	if err == nil && other.sealed == nil {
		err = refuse(trust.ReasonRevoked, "the session was ended meanwhile")
	}
	return other, err
}
