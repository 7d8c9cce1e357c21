package token

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/trust"
)

// recollection is a store that counts what it is asked.
type recollection struct {
	asked   []string
	revoked bool
	scopes  map[string][]string
	err     error
}

func (r *recollection) TokenRevoked(_ context.Context, jti, family string) (bool, error) {
	r.asked = append(r.asked, "token "+jti+" "+family)
	return r.revoked, r.err
}

func (r *recollection) Consent(_ context.Context, sub, client string) (store.Consent, bool, error) {
	r.asked = append(r.asked, "consent "+sub+" "+client)
	return store.Consent{Scopes: r.scopes}, r.scopes != nil, r.err
}

func TestStandingAsksTheStoreOnlyOfWhatBeganHere(t *testing.T) {
	t.Parallel()
	login := trust.Subject{Credential: trust.CredentialLogin, Sub: "kim", SignedIn: true, Family: "f"}
	ownToken := trust.Subject{Credential: trust.CredentialOwnToken, Sub: "kim", TokenID: "j"}
	signedIn := trust.Subject{Credential: trust.CredentialOwnToken, Sub: "kim", TokenID: "j", SignedIn: true, Family: "f"}
	given := map[string][]string{"warehouse": {"stock.read"}}
	for _, c := range []struct {
		name    string
		subject trust.Subject
		client  string
		store   recollection
		want    trust.Standing
		asked   []string
	}{
		{"a foreign token", trust.Subject{Credential: trust.CredentialJWT, Sub: "kim"}, "guest", recollection{}, trust.Standing{Loaded: true}, nil},
		{"a client", trust.Subject{Credential: trust.CredentialClient, Sub: "client:guest"}, "guest", recollection{}, trust.Standing{Loaded: true}, nil},
		{"a foreign token of somebody blocked", trust.Subject{Credential: trust.CredentialJWT, Sub: "lee"}, "guest", recollection{}, trust.Standing{Loaded: true, Blocked: true}, nil},
		{"a token of ours", ownToken, "guest", recollection{}, trust.Standing{Loaded: true}, []string{"token j "}},
		{"A79 a revoked token of ours", ownToken, "guest", recollection{revoked: true}, trust.Standing{Loaded: true, Revoked: true}, []string{"token j "}},
		{"a token of ours that began with a sign-in", signedIn, "guest", recollection{scopes: given}, trust.Standing{Loaded: true, Consented: given}, []string{"token j f", "consent kim guest"}},
		{"a sign-in of somebody else's application", login, "guest", recollection{scopes: given}, trust.Standing{Loaded: true, Consented: given}, []string{"consent kim guest"}},
		{"without consent", login, "guest", recollection{}, trust.Standing{Loaded: true}, []string{"consent kim guest"}},
		{"a sign-in of our own application", login, "shop", recollection{}, trust.Standing{Loaded: true}, nil},
		{"a store that does not answer for a token", ownToken, "shop", recollection{err: errors.New("disk")}, trust.Standing{}, []string{"token j "}},
		{"a store that does not answer for a consent", login, "guest", recollection{err: errors.New("disk")}, trust.Standing{}, []string{"consent kim guest"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			marks := &Marks{Subjects: &subjects{list: []store.SubjectMark{{Sub: "lee", Blocked: true}}}, Now: func() time.Time { return began }}
			if err := marks.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			k := &Known{Marks: marks, Revocations: &c.store, Consents: &c.store, FirstParty: func(client string) bool { return client == "shop" },
				Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
			if got := k.Standing(t.Context(), c.subject, c.client); !reflect.DeepEqual(got, c.want) || !reflect.DeepEqual(c.store.asked, c.asked) {
				t.Errorf("%+v after %v, wanted %+v after %v", got, c.store.asked, c.want, c.asked)
			}
		})
	}
}
