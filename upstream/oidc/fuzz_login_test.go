package oidc

import (
	"maps"
	"strings"
	"testing"

	"apostille/trust/jose"
)

// Whatever a discovery document says, no endpoint that is used is anything but https.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"authorization_endpoint":"https://a.example/a","token_endpoint":"https://a.example/t?x=1","userinfo_endpoint":null}`))
	f.Add([]byte(`{"authorization_endpoint":"https://a.example\\@b","token_endpoint":"HTTPS://a","pushed_authorization_request_endpoint":"//x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := jose.DecodeObject(b)
		if err != nil {
			return
		}
		m, err := readMetadata(doc, "https://a.example")
		if err != nil {
			return
		}
		for _, e := range []string{m.authorization, m.token, m.userInfo, m.par, m.endSession} {
			if e != "" && !strings.HasPrefix(strings.ToLower(e), "https:") {
				t.Errorf("endpoint %q", e)
			}
		}
		if m.authorization == "" || m.token == "" {
			t.Error("accepted without endpoints")
		}
	})
}

// Whatever userinfo says, the ID token's claims stay, and what is not userinfo's to say does not appear.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"sub":"u","email":"a@b.example"}`), []byte(`{"sub":"u","email_verified":true,"scope":"admin","name":"N"}`))
	f.Fuzz(func(t *testing.T, id, info []byte) {
		token, err := jose.DecodeObject(id)
		if err != nil {
			return
		}
		answer, err := jose.DecodeObject(info)
		if err != nil {
			return
		}
		merged := claims(maps.Clone(token))
		merge(merged, answer)
		for name := range token {
			if !merged.has(name) {
				t.Errorf("%q is gone", name)
			}
		}
		for _, name := range notOfUserInfo {
			if _, had := token[name]; merged.has(name) && !had {
				t.Errorf("userinfo said %q", name)
			}
		}
		for value, verified := range vouched {
			_, hadValue := token[value]
			_, hadVerified := token[verified]
			if (hadValue || hadVerified) && (merged.has(value) != hadValue || merged.has(verified) != hadVerified) {
				t.Errorf("%s and its word come from two sources", value)
			}
		}
	})
}
