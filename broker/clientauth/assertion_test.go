package clientauth_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"log/slog"

	"apostille/broker/clientauth"
	"apostille/broker/oauth"
	"apostille/broker/store/sqlite"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

type object = map[string]any

func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, c := range []struct {
		name   string
		typ    string
		change object
		more   []string
		ok     bool
		public string // part of what the client is told
	}{
		{"a good assertion passes", "client-authentication+jwt", nil, nil, true, ""},
		{"typ JWT passes", "JWT", nil, nil, true, ""},
		{"no typ passes", "", nil, nil, true, ""},
		{"the client_id beside it passes", "JWT", nil, []string{"client_id", "robot"}, true, ""},
		{"no iat passes", "JWT", object{"iat": nil}, nil, true, ""},
		{"an exp within the skew passes", "JWT", object{"exp": in(-59 * time.Second)}, nil, true, ""},
		{"an exp an hour away passes", "JWT", object{"exp": in(time.Hour)}, nil, true, ""},
		{"an nbf within the skew passes", "JWT", object{"nbf": in(59 * time.Second)}, nil, true, ""},

		{"another client_id beside it is refused", "JWT", nil, []string{"client_id", "portal"}, false, "must be the client_id"},
		{"iss without sub is refused", "JWT", object{"sub": nil}, nil, false, "must be the client_id"},
		{"sub of somebody else is refused", "JWT", object{"sub": "portal"}, nil, false, "must be the client_id"},
		{"no iss is refused", "JWT", object{"iss": nil, "sub": nil}, nil, false, "must be the client_id"},
		{"a client registered with a secret is refused", "JWT", object{"iss": "portal", "sub": "portal"}, nil, false, ""},
		{"an unknown client is refused", "JWT", object{"iss": "nobody", "sub": "nobody"}, nil, false, ""},
		{"a disabled client is refused", "JWT", object{"iss": "offrobot", "sub": "offrobot"}, nil, false, ""},
		{"A60 an access token is refused", "at+jwt", nil, nil, false, "typ"},
		{"A60 a logout token is refused", "logout+jwt", nil, nil, false, "typ"},
		{"A60 a DPoP proof is refused", "dpop+jwt", nil, nil, false, "typ"},
		{"A71 another server's token endpoint is refused", "JWT", object{"aud": "https://other.example/token"}, nil, false, "must be the string " + issuer},
		{"A71 our own token endpoint is refused, and told why", "JWT", object{"aud": issuer + "/oauth2/token"}, nil, false, "must be the string " + issuer},
		{"A71 a list with our issuer is refused", "JWT", object{"aud": []string{issuer}}, nil, false, "must be the string"},
		{"A71 a list with our issuer and another is refused", "JWT", object{"aud": []string{issuer, "https://other.example"}}, nil, false, "must be the string"},
		{"A71 our issuer with a slash is refused", "JWT", object{"aud": issuer + "/"}, nil, false, "must be the string"},
		{"A71 no audience is refused", "JWT", object{"aud": nil}, nil, false, "must be the string"},
		{"A61 no exp is refused", "JWT", object{"exp": nil}, nil, false, "needs exp"},
		{"A61 exp as text is refused", "JWT", object{"exp": "1999999999"}, nil, false, "needs exp"},
		{"A61 an expired one is refused", "JWT", object{"exp": in(-60 * time.Second)}, nil, false, "expired"},
		{"A61 an exp far away is refused: its mark would be kept for as long", "JWT", object{"exp": in(time.Hour + 61*time.Second)}, nil, false, "at most"},
		{"A61 an nbf ahead is refused", "JWT", object{"nbf": in(61 * time.Second)}, nil, false, "nbf"},
		{"A61 an iat ahead is refused", "JWT", object{"iat": in(61 * time.Second)}, nil, false, "iat"},
		{"A61 an nbf as text is refused", "JWT", object{"nbf": "0"}, nil, false, "nbf"},
		{"no jti is refused", "JWT", object{"jti": nil}, nil, false, "jti"},
		{"a number as jti is refused", "JWT", object{"jti": 1}, nil, false, "jti"},
		{"a jti of 257 bytes is refused", "JWT", object{"jti": strings.Repeat("x", 257)}, nil, false, "jti"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			id, err := b.assert(t, b.sign(t, c.typ, claims(c.change)), c.more...)
			if c.ok {
				granted(t, id, err, "robot")
				return
			}
			if e := refused(t, id, err, trust.ReasonClientAuth); !strings.Contains(e.Public, c.public) {
				t.Errorf("the client is told %q, wanted %q", e.Public, c.public)
			}
			// What was refused used nothing up: the good twin with the same jti passes.
			id, err = b.assert(t, b.sign(t, "JWT", claims(nil)))
			granted(t, id, err, "robot")
		})
	}
}

func TestAssertionsThatAreNotSignedByTheClientAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench()
	good := b.sign(t, "JWT", claims(nil))
	stranger := *b
	stranger.key = fake.NewKey("ES256")
	cut := strings.LastIndex(good, ".")
	for name, token := range map[string]string{
		"another key":                 stranger.sign(t, "JWT", claims(nil)),
		"no signature":                good[:cut+1],
		"A44 no algorithm":            "eyJhbGciOiJub25lIn0" + good[strings.Index(good, "."):],
		"A59 zeros":                   good[:cut+1] + strings.Repeat("A", 86),
		"a signature of other claims": good[:cut] + b.sign(t, "JWT", claims(object{"jti": "2"}))[cut:],
		"no token":                    "x",
	} {
		t.Run(name, func(t *testing.T) {
			id, err := b.assert(t, token)
			refused(t, id, err, trust.ReasonClientAuth)
		})
	}
	id, err := b.assert(t, good)
	granted(t, id, err, "robot")
}

func TestAnotherTypeOfAssertionIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench()
	token := b.sign(t, "JWT", claims(nil))
	for _, typ := range []string{"", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"} {
		id, err := b.ask(t, nil, "client_assertion_type", typ, "client_assertion", token)
		if e := refused(t, id, err, trust.ReasonClientAuth); !strings.Contains(e.Public, oauth.AssertionTypeJWT) {
			t.Errorf("the client is told %q", e.Public)
		}
	}
	id, err := b.ask(t, nil, "client_assertion_type", oauth.AssertionTypeJWT)
	refused(t, id, err, trust.ReasonClientAuth)
}

func TestA72_AnAssertionIsAcceptedOnceByAllServersOfAStore(t *testing.T) {
	t.Parallel()
	b := newBench()
	path := filepath.Join(t.TempDir(), "apostille.db")
	servers := make([]*clientauth.Authenticator, 2)
	for i := range servers {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{Now: fixed, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		servers[i] = &clientauth.Authenticator{Replay: s, Now: fixed}
	}
	first := b.sign(t, "JWT", claims(nil))
	b.auth = servers[0]
	id, err := b.assert(t, first)
	granted(t, id, err, "robot")
	for i, server := range servers {
		b.auth = server
		id, err = b.assert(t, first)
		if e := refused(t, id, err, trust.ReasonClientAuth); !strings.Contains(e.Public, "used before") {
			t.Errorf("server %d: %q", i, e.Public)
		}
		// Another signature over the same jti is the same assertion.
		id, err = b.assert(t, b.sign(t, "", claims(object{"exp": now.Add(2 * time.Minute).Unix()})))
		refused(t, id, err, trust.ReasonClientAuth)
	}
	id, err = b.assert(t, b.sign(t, "JWT", claims(object{"jti": "2"})))
	granted(t, id, err, "robot")
}

// broken is a store that does not answer.
type broken struct{}

func (broken) Claim(context.Context, string, string, string, time.Time) (bool, error) {
	return true, errors.New("disk gone")
}

func TestAStoreThatDoesNotAnswerRefuses(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.auth.Replay = broken{}
	id, err := b.assert(t, b.sign(t, "JWT", claims(nil)))
	if e := refused(t, id, err, trust.ReasonStore); e.Client != "robot" || e.Unwrap() == nil {
		t.Errorf("%+v", e)
	}
}

func TestEachOfAClientsKeysIsAccepted(t *testing.T) {
	t.Parallel()
	b := newBench()
	other := fake.NewKey("ES256")
	b.credentials["robot"] = clientauth.Credential{JWKS: jose.NewSet(
		jose.Key{ID: "r1", Algs: []jose.Alg{"ES256"}, Public: other.Public()}, jose.Key{ID: "r1", Algs: []jose.Alg{"ES256"}, Public: b.key.Public()},
	)}
	id, err := b.assert(t, b.sign(t, "JWT", claims(nil)))
	granted(t, id, err, "robot")
}
