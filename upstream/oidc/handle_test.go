package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"apostille/trust"
)

// drawer is Handles: claims by handle.
type drawer struct {
	claims map[string][]byte
	looked int
	err    error
}

func (d *drawer) Claims(_ context.Context, handle string) ([]byte, error) {
	d.looked++
	return d.claims[handle], d.err
}

// handled is a fixture with an opaque token "h" that stands for our own claims.
func handled(t *testing.T, changes map[string]any) (*fixture, *drawer) {
	t.Helper()
	f := newFixture(t)
	b, err := json.Marshal(edit(f.own, changes))
	if err != nil {
		t.Fatal(err)
	}
	d := &drawer{claims: map[string][]byte{"h": b}}
	f.Handles, f.wantOwn.Handle = d, true
	return f, d
}

func TestAnOpaqueTokenIsTheSubjectThatAJWTWouldBe(t *testing.T) {
	t.Parallel()
	changes := object{"links": 2, "family": "f-1", "auth_time": epoch.Unix() - 60, "acr": "mfa", "team": "a"}
	f, d := handled(t, changes)
	orOwn := Want{Type: trust.CredentialJWT, OrOwn: true, Handle: true, Client: "portal"}
	for _, want := range []Want{f.wantOwn, orOwn} {
		jwt, err := f.Verify(t.Context(), f.reg, f.ours.token(t, object{"typ": "at+jwt"}, edit(f.own, changes)), want)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // each time anew: the next look may find that it is gone
			before := d.looked
			got, err := f.Verify(t.Context(), f.reg, "h", want)
			if err != nil || d.looked != before+1 {
				t.Fatalf("%v, %d looks", err, d.looked-before)
			}
			if diff := cmp.Diff(jwt, got, cmpopts.IgnoreFields(trust.Subject{}, "Checks")); diff != "" {
				t.Error(diff)
			}
		}
	}
	if f.keys.lookups.Load() != 2 { // of the JWT, once for each want
		t.Errorf("%d look-ups of keys, of which a handle needs none", f.keys.lookups.Load())
	}
}

func TestAnOpaqueTokenIsHeldToWhatAJWTIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims map[string]any
		change func(*fixture, *drawer)
		raw    string
		want   func(*Want)
		reason trust.Reason
	}{
		"the twin":                       {raw: "h"},
		"one that is not there":          {raw: "x", reason: trust.ReasonMalformed},
		"an empty one":                   {raw: "", reason: trust.ReasonMalformed},
		"one that nobody made so long":   {raw: strings.Repeat("h", maxHandle+1), reason: trust.ReasonMalformed},
		"that is over":                   {raw: "h", change: func(f *fixture, _ *drawer) { f.now = f.now.Add(10 * time.Minute) }, reason: trust.ReasonExpired},
		"of another issuer":              {raw: "h", claims: object{"iss": them}, reason: trust.ReasonType},
		"without issuer":                 {raw: "h", claims: object{"iss": nil}, reason: trust.ReasonIssuerUnknown},
		"without client":                 {raw: "h", claims: object{"client_id": nil}, reason: trust.ReasonType},
		"for an API that is gone":        {raw: "h", claims: object{"aud": "https://gone.example"}, reason: trust.ReasonAudience},
		"bound to a key":                 {raw: "h", claims: object{"cnf": object{"jkt": "x"}}, reason: trust.ReasonBound},
		"that cannot be read":            {raw: "h", change: func(_ *fixture, d *drawer) { d.claims["h"] = []byte("{") }, reason: trust.ReasonMalformed},
		"while the store is away":        {raw: "h", change: func(_ *fixture, d *drawer) { d.err = errors.New("down") }, reason: trust.ReasonStore},
		"where none are kept":            {raw: "h", change: func(f *fixture, _ *drawer) { f.Handles = nil }, reason: trust.ReasonMalformed},
		"where the caller wants a JWT":   {raw: "h", want: func(w *Want) { w.Handle = false }, reason: trust.ReasonMalformed},
		"as somebody else's JWT":         {raw: "h", want: func(w *Want) { w.Type = trust.CredentialJWT }, reason: trust.ReasonType},
		"as an ID token":                 {raw: "h", want: func(w *Want) { w.Type = trust.CredentialIDToken }, reason: trust.ReasonType},
		"which a library panics reading": {raw: "h", change: func(f *fixture, _ *drawer) { f.Handles = (*drawer)(nil) }, reason: trust.ReasonPanic},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, d := handled(t, c.claims)
			if c.change != nil {
				c.change(f, d)
			}
			want := f.wantOwn
			if c.want != nil {
				c.want(&want)
			}
			got, err := f.Verify(t.Context(), f.reg, c.raw, want)
			if reason := reasonOf(t, err); reason != c.reason {
				t.Errorf("%q, wanted %q: %v", reason, c.reason, err)
			}
			if err != nil && got.Sub != "" {
				t.Errorf("refused, and yet %+v", got)
			}
			if name == "one that nobody made so long" && d.looked != 0 {
				t.Error("it was looked up")
			}
		})
	}
}
