package oidc

import (
	"log/slog"
	"net/url"
	"testing"
	"time"

	"apostille/trust/jose"
	"apostille/upstream"
	"apostille/upstream/fake"
	"apostille/upstream/fetch"
	"apostille/upstream/keys"
)

// The relying party with the real key cache: both discover the same issuer, and a rotated key is found.
func TestALoginWithTheRealKeyCache(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	cache := keys.New(keys.Config{Client: fetch.New(fetch.Options{Dev: true}).Client, Now: m.clock, Log: slog.New(slog.DiscardHandler)})
	cache.Replace(map[string]keys.Source{"hq": {Discovery: m.op.Issuer(), Algs: []jose.Alg{jose.ES256}}})
	m.Keys = cache
	for range 2 {
		if _, err := m.signIn(t); err != nil {
			t.Fatal(err)
		}
		m.op.Rotate()
		m.later(time.Minute)
	}
	if n := m.op.Requests(fake.PathJWKS); n != 2 {
		t.Errorf("%d requests for keys", n)
	}
	if _, err := m.finish(t, upstream.Answer{Secret: m.start.Secret, Params: url.Values{"code": {"x"}, "iss": {m.op.Issuer()}}}); err == nil {
		t.Error("an unknown code was taken")
	}
}
