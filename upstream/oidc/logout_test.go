package oidc

import (
	"net/url"
	"testing"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

func TestALogoutToken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		claims map[string]any
		opts   []fake.MintOption
		sub    bool
		sid    string
	}{
		"of a subject":         {map[string]any{"sub": "fake|alice"}, nil, true, ""},
		"of a session":         {map[string]any{"sid": "s-1"}, nil, false, "s-1"},
		"of both":              {map[string]any{"sub": "fake|alice", "sid": "s-1"}, nil, true, "s-1"},
		"without typ":          {map[string]any{"sid": "s-1"}, []fake.MintOption{fake.Typ("")}, false, "s-1"},
		"with typ JWT":         {map[string]any{"sid": "s-1"}, []fake.MintOption{fake.Typ("JWT")}, false, "s-1"},
		"with aud in a list":   {map[string]any{"sid": "s-1", "aud": []string{clientID}}, nil, false, "s-1"},
		"of four minutes ago":  {map[string]any{"sid": "s-1", "iat": epoch.Unix() - 240}, nil, false, "s-1"},
		"of a clock ahead":     {map[string]any{"sid": "s-1", "iat": epoch.Unix() + 30}, nil, false, "s-1"},
		"with another event":   {map[string]any{"sid": "s-1", "events": map[string]any{fake.LogoutEvent: map[string]any{}, "x": true}}, nil, false, "s-1"},
		"with a note for logs": {map[string]any{"sid": "s-1", "trace_id": "t"}, nil, false, "s-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{})
			got, err := m.Logout(t.Context(), m.trust, m.op.LogoutToken(clientID, tc.claims, tc.opts...))
			if err != nil {
				t.Fatal(err)
			}
			sub := ""
			if tc.sub {
				sub = m.trust.SubOf("fake|alice")
			}
			if got.Sub != sub || got.SID != tc.sid || got.Issuer != m.op.Issuer() || got.TokenID == "" || !got.Expires.Equal(epoch.Add(5*time.Minute)) || got.IssuedAt.IsZero() {
				t.Errorf("%+v", got)
			}
			if m.op.Requests(fake.PathDiscovery) != 0 {
				t.Error("endpoints were looked up for it")
			}
		})
	}
}

func TestA118_LogoutConfusion(t *testing.T) {
	t.Parallel()
	event := func(v any) map[string]any { return map[string]any{"events": v} }
	for name, tc := range map[string]struct {
		claims map[string]any
		opts   []fake.MintOption
		reason trust.Reason
	}{
		"nonce present":             {map[string]any{"nonce": "n"}, nil, trust.ReasonType},
		"nonce present and null":    {map[string]any{"nonce": []any{}}, nil, trust.ReasonType},
		"no events":                 {event(nil), nil, trust.ReasonType},
		"events of another kind":    {event(map[string]any{"http://schemas.openid.net/event/other": map[string]any{}}), nil, trust.ReasonType},
		"events that are a string":  {event(fake.LogoutEvent), nil, trust.ReasonType},
		"an event that is true":     {event(map[string]any{fake.LogoutEvent: true}), nil, trust.ReasonType},
		"wrong aud":                 {map[string]any{"aud": "canteen"}, nil, trust.ReasonAudience},
		"aud of others beside us":   {map[string]any{"aud": []string{clientID, "canteen"}}, nil, trust.ReasonAudience},
		"no aud":                    {map[string]any{"aud": nil}, nil, trust.ReasonAudience},
		"wrong iss":                 {map[string]any{"iss": evil}, nil, trust.ReasonIssuerUnknown},
		"wrong alg":                 {nil, []fake.MintOption{fake.By(fake.NewKey(jose.EdDSA), jose.EdDSA)}, trust.ReasonAlgorithm},
		"HMAC":                      {nil, []fake.MintOption{fake.Header("alg", "HS256")}, trust.ReasonAlgorithm},
		"alg none":                  {nil, []fake.MintOption{fake.Header("alg", "none")}, trust.ReasonAlgorithm},
		"another key":               {nil, []fake.MintOption{fake.By(fake.NewKey(jose.ES256), jose.ES256)}, trust.ReasonSignature},
		"no sid and no sub":         {map[string]any{"sub": nil}, nil, trust.ReasonSubject},
		"a sub of a number":         {map[string]any{"sub": 1}, nil, trust.ReasonClaim},
		"an empty sub":              {map[string]any{"sub": ""}, nil, trust.ReasonSubject},
		"an empty sid":              {map[string]any{"sid": ""}, nil, trust.ReasonClaim},
		"no jti":                    {map[string]any{"jti": nil}, nil, trust.ReasonTokenID},
		"an empty jti":              {map[string]any{"jti": ""}, nil, trust.ReasonTokenID},
		"no exp":                    {map[string]any{"exp": nil}, nil, trust.ReasonTime},
		"expired":                   {map[string]any{"exp": epoch.Unix() - 61}, nil, trust.ReasonExpired},
		"no iat":                    {map[string]any{"iat": nil}, nil, trust.ReasonTime},
		"an old iat":                {map[string]any{"iat": epoch.Unix() - 301}, nil, trust.ReasonTooOld},
		"an iat of tomorrow":        {map[string]any{"iat": epoch.Unix() + 86400}, nil, trust.ReasonNotYetValid},
		"A60 an access token":       {nil, []fake.MintOption{fake.Typ("at+jwt")}, trust.ReasonType},
		"A60 an ID token's at_hash": {map[string]any{"at_hash": "x"}, nil, trust.ReasonType},
		"A60 a client assertion":    {nil, []fake.MintOption{fake.Typ("client-authentication+jwt")}, trust.ReasonType},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{cfg: func(c *LoginConfig) { c.Algs = []jose.Alg{jose.ES256} }})
			claims := map[string]any{"sub": "fake|alice"}
			if _, err := m.Logout(t.Context(), m.trust, m.op.LogoutToken(clientID, claims)); err != nil {
				t.Fatalf("the twin: %v", err)
			}
			for k, v := range tc.claims {
				claims[k] = v
			}
			got, err := m.Logout(t.Context(), m.trust, m.op.LogoutToken(clientID, claims, tc.opts...))
			if why(t, err) != tc.reason || got.Sub != "" || got.SID != "" {
				t.Errorf("%v, %+v; want %s", err, got, tc.reason)
			}
		})
	}
	m := meet(t, arrangement{})
	for _, raw := range []string{"", "x", "a.b.c"} {
		if _, err := m.Logout(t.Context(), m.trust, raw); why(t, err) != trust.ReasonMalformed {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestALogoutTokenOfATrustThatNamesSubjectsByAnotherClaim(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{spec: func(s *trust.TrustSpec) { s.Subject = "oid" }})
	for name, tc := range map[string]struct {
		claims map[string]any
		sub    string
		reason trust.Reason
	}{
		"with the claim":         {map[string]any{"sub": "x", "oid": "o-1"}, m.trust.SubOf("o-1"), ""},
		"without it, with sid":   {map[string]any{"sub": "x", "sid": "s-1"}, "", ""},
		"with neither":           {map[string]any{"sub": "x"}, "", trust.ReasonSubject},
		"with one that is a map": {map[string]any{"sub": "x", "oid": map[string]any{}}, "", trust.ReasonSubject},
	} {
		got, err := m.Logout(t.Context(), m.trust, m.op.LogoutToken(clientID, tc.claims))
		if why(t, err) != tc.reason || got.Sub != tc.sub {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
}

func TestLogoutAtTheUpstream(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{cfg: func(c *LoginConfig) { c.Logout = true }})
	got, err := m.signIn(t)
	if err != nil || got.IDToken == "" {
		t.Fatal(err)
	}
	to, err := m.LogoutURL(t.Context(), m.trust, got.IDToken, "https://west.example/out", "s-1")
	if err != nil {
		t.Fatal(err)
	}
	page, err := m.browser.Open(to)
	if err != nil || page.URL.String() != "https://west.example/out?state=s-1" || len(m.op.Sessions("alice")) != 0 {
		t.Errorf("%v: at %v, sessions %v", err, page.URL, m.op.Sessions("alice"))
	}
	bare, _ := m.LogoutURL(t.Context(), m.trust, "", "", "")
	if u, _ := url.Parse(bare); len(u.Query()) != 1 || u.Query().Get("client_id") != clientID {
		t.Errorf("%s", bare)
	}
	m.cfg.Logout = false
	if to, err := m.LogoutURL(t.Context(), m.trust, "", "", ""); to != "" || err != nil {
		t.Errorf("unasked: %q, %v", to, err)
	}
	none := meet(t, arrangement{cfg: func(c *LoginConfig) { c.Logout = true }})
	none.op.Break(fake.Faults{Discovery: map[string]any{"end_session_endpoint": nil}})
	if to, err := none.LogoutURL(t.Context(), none.trust, "", "", ""); to != "" || err != nil {
		t.Errorf("an upstream without: %q, %v", to, err)
	}
}
