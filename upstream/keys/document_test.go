package keys

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"apostille/upstream/fetch"
)

func TestA66_DiscoveryDocumentMustNameExactlyOurIssuer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		issuer func(real string) string
		ok     bool
	}{
		"the issuer":         {func(r string) string { return r }, true},
		"a trailing slash":   {func(r string) string { return r + "/" }, false},
		"somebody else":      {func(string) string { return "https://evil.example" }, false},
		"another case":       {strings.ToUpper, false},
		"a longer one":       {func(r string) string { return r + ".evil.example" }, false},
		"with a user before": {func(r string) string { return strings.Replace(r, "//", "//u@", 1) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			u.publishes(t, "k1")
			u.issuer = tc.issuer(u.URL)
			f := newFixture(t, map[string]Source{"a": u.oidc()})
			if tc.ok {
				f.want(t, "k1", nil)
				return
			}
			_, err := f.finds(t, "k1")
			if err == nil || !strings.Contains(err.Error(), "another issuer") || strings.Contains(err.Error(), "evil") {
				t.Errorf("err = %v", err)
			}
			if u.fetches.Load() != 0 {
				t.Error("keys were fetched")
			}
		})
	}
}

func TestA113_LearntJWKSURIReachesNoPrivateAddressButTheIssuersOwn(t *testing.T) {
	t.Parallel()
	for name, elsewhere := range map[string]bool{"on the issuer's origin": false, "on another origin": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, other := newTLSUpstream(t), newTLSUpstream(t)
			u.publishes(t, "k1")
			other.publishes(t, "k1")
			if elsewhere {
				u.jwksURI = other.URL + "/keys"
			}
			src := u.oidc()
			src.Roots = x509.NewCertPool()
			src.Roots.AddCert(u.Certificate())
			f := newFixture(t, map[string]Source{"a": src})
			f.cfg.Client = fetch.New(fetch.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}).Client
			if !elsewhere {
				f.want(t, "k1", nil)
				return
			}
			_, err := f.finds(t, "k1")
			var refused *fetch.AddressError
			if !errors.As(err, &refused) || u.discoveries.Load() != 1 || other.fetches.Load() != 0 {
				t.Errorf("err %v, %d discoveries, %d fetches", err, u.discoveries.Load(), other.fetches.Load())
			}
		})
	}
}

func TestMovedJWKSURIIsFollowedWithinMaxAgeWhateverTokensCome(t *testing.T) {
	t.Parallel()
	u, moved := newUpstream(t), newUpstream(t)
	u.publishes(t, "old")
	moved.publishes(t, "new")
	f := newFixture(t, map[string]Source{"a": u.oidc()})
	f.want(t, "old", nil)
	u.mu.Lock()
	u.jwksURI = moved.URL + "/keys"
	u.mu.Unlock()
	// A token with an unknown kid every minute refreshes the keys, but not the belief in their address.
	for range 15 {
		f.clock.advance(time.Minute)
		_, _ = f.finds(t, "random")
		f.settle()
	}
	f.want(t, "old", ErrUnknown)
	f.want(t, "new", nil)
}

func TestL22_DiscoveryErrorsDoNotQuoteTheAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"a 500":     {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "SECRET", 500) }, "answered 500"},
		"a 201":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); _, _ = w.Write([]byte("SECRET")) }, "answered 201"},
		"HTML":      {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<b>SECRET</b>")) }, "not a discovery document"},
		"too large": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) }, "too large"},
		"no jwks_uri": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"http://` + r.Host + `"}`))
		}, "no jwks_uri"},
		"another host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.9:1/SECRET", http.StatusFound)
		}, "redirect refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			u.Config.Handler = tc.handler
			f := newFixture(t, map[string]Source{"a": u.oidc()})
			_, err := f.finds(t, "k1")
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("err = %v, want %q", err, tc.want)
			}
		})
	}
}
