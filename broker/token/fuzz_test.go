package token_test

import (
	"net/url"
	"strings"
	"testing"

	"apostille/broker/oauth"
)

// FuzzExchangeForm posts whatever the fuzzer makes of good requests. Nothing panics; what is answered is JSON; a token is
// issued only if the one token that is good reached the endpoint byte for byte.
func FuzzExchangeForm(f *testing.F) {
	b := newBench(f)
	good := b.mint(nil)
	for _, form := range []url.Values{exchangeForm(good), bearerForm(good), exchangeForm(good[:len(good)-1]), exchangeForm("")} {
		f.Add(form.Encode())
	}
	parts := strings.Split(good, ".")
	for _, token := range []string{
		good + "=", " " + good, parts[0] + ".." + parts[2], parts[0] + "." + parts[1] + ".", "e30." + parts[1] + "." + parts[2],
		"eyJhbGciOiJub25lIn0." + parts[1] + ".", parts[1] + "." + parts[0] + "." + parts[2],
	} {
		f.Add(exchangeForm(token).Encode())
	}
	f.Add(exchangeForm(good).Encode() + "&subject_token=" + good)
	f.Add("grant_type=%zz")
	f.Fuzz(func(t *testing.T, body string) {
		b.panics, b.events, b.sampled, b.steps, b.outcomes = nil, nil, nil, nil, nil
		g := b.ask(t, "portal", body)
		if g.status == 500 {
			t.Fatalf("answered %s", g.text)
		}
		if g.status != 200 {
			if g.body["error"] == nil || g.body["access_token"] != nil {
				t.Errorf("answered %d %s", g.status, g.text)
			}
			return
		}
		form, err := oauth.ParseParams(body)
		own := form.Get("grant_type") == oauth.GrantTypeClientCredentials // rests on the client alone
		if err != nil || !own && form.Get("subject_token") != good && form.Get("assertion") != good {
			t.Errorf("a token was issued for %q", body)
		}
	})
}
