package bearer_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"apostille/broker/bearer"
	"apostille/trust/jose"
	"apostille/upstream/fake"
	"apostille/upstream/fetch"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*bearer.Config)
		fault  string // "" = accepted
	}{
		{"the least there is", func(*bearer.Config) {}, ""},
		{"an issuer with a path", func(c *bearer.Config) { c.Issuer = "https://west.example/id" }, ""},
		{"an audience that is no URL, with a resource", func(c *bearer.Config) { c.Audience, c.Resource = "warehouse", audience }, ""},
		{"http in development", func(c *bearer.Config) { c.Issuer, c.Outbound.Dev = "http://id.localhost:8080", true }, ""},
		{"no issuer", func(c *bearer.Config) { c.Issuer = "" }, "Issuer"},
		{"an http issuer", func(c *bearer.Config) { c.Issuer = "http://id.west.example" }, "Issuer"},
		{"an issuer with a query", func(c *bearer.Config) { c.Issuer = issuer + "?a=b" }, "Issuer"},
		{"an issuer with a password", func(c *bearer.Config) { c.Issuer = "https://a:b@id.west.example" }, "Issuer"},
		{"A63 no audience", func(c *bearer.Config) { c.Audience = "" }, "Audience is required"},
		{"an audience with a quote", func(c *bearer.Config) { c.Audience, c.Resource = `ware"house`, audience }, "Audience"},
		{"an audience that is no URL, without a resource", func(c *bearer.Config) { c.Audience = "warehouse" }, "Resource"},
		{"a token endpoint by http", func(c *bearer.Config) { c.TokenEndpoint = "http://id.west.example/token" }, "TokenEndpoint"},
		{"keys by http", func(c *bearer.Config) { c.JWKSURL = "http://id.west.example/jwks" }, "JWKSURL"},
		{"an algorithm with a shared secret", func(c *bearer.Config) { c.Algs = []jose.Alg{"HS256"} }, "HS256"},
		{"a typ of ID tokens' kind", func(c *bearer.Config) { c.Typ = "logout+jwt" }, "Typ"},
		{"a skew over a minute", func(c *bearer.Config) { c.Skew = 61 * time.Second }, "Skew"},
		{"a negative skew", func(c *bearer.Config) { c.Skew = -time.Second }, "Skew"},
		{"a realm with a line break", func(c *bearer.Config) { c.Realm = "a\r\nb" }, "Realm"},
		{"two scopes in one", func(c *bearer.Config) { c.Scopes = []string{"stock.read stock.order"} }, "Scopes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := bearer.Config{Issuer: issuer, Audience: audience}
			tt.change(&c)
			_, err := bearer.New(c)
			if tt.fault == "" && err != nil {
				t.Error(err)
			}
			if tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
				t.Errorf("got %v, want a word on %s", err, tt.fault)
			}
		})
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := bearer.New(bearer.Config{Typ: "x", Skew: time.Hour})
	for _, word := range []string{"Issuer", "Audience", "Typ", "Skew"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v: nothing on %s", err, word)
		}
	}
}

// served is a fake broker on loopback, and a guard that fetches its keys.
func served(t *testing.T, change ...func(*bearer.Config)) (*fake.Provider, *bearer.Guard) {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	broker := fake.NewProvider(fake.Options{Issuer: "http://" + srv.Listener.Addr().String(), Alg: "ES256", Now: fixed})
	srv.Config.Handler = broker
	srv.Start()
	t.Cleanup(srv.Close)
	c := bearer.Config{Issuer: broker.Issuer(), Audience: audience, Outbound: fetch.Options{Dev: true}, Now: fixed, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&c)
	}
	guard, err := bearer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return broker, guard
}

func status(guard *bearer.Guard, token string) int {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/stock", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	guard.Require()(http.NotFoundHandler()).ServeHTTP(w, r)
	return w.Code // 404: the handler was reached
}

func accessToken(broker *fake.Provider) string {
	return broker.Mint(claims(nil), fake.Typ("at+jwt"))
}

func TestR04_KeysAreDiscoveredOnceAndSurviveTheBroker(t *testing.T) {
	t.Parallel()
	broker, guard := served(t)
	if n := len(broker.AllRequests()); n != 0 {
		t.Errorf("New made %d requests", n)
	}
	for range 3 {
		if got := status(guard, accessToken(broker)); got != http.StatusNotFound {
			t.Fatalf("status %d", got)
		}
	}
	broker.Break(fake.Faults{Down: true})
	if got := status(guard, accessToken(broker)); got != http.StatusNotFound {
		t.Errorf("while the broker is away: status %d", got)
	}
	if d, j := broker.Requests(fake.PathDiscovery), broker.Requests(fake.PathJWKS); d != 1 || j != 1 {
		t.Errorf("%d discoveries, %d key fetches", d, j)
	}
}

func TestKeysByTheirURLNeedNoDiscovery(t *testing.T) {
	t.Parallel()
	broker, guard := served(t, func(c *bearer.Config) { c.JWKSURL = c.Issuer + fake.PathJWKS })
	if got := status(guard, accessToken(broker)); got != http.StatusNotFound {
		t.Fatalf("status %d", got)
	}
	if broker.Requests(fake.PathDiscovery) != 0 || broker.Requests(fake.PathJWKS) != 1 {
		t.Errorf("requests %v", broker.AllRequests())
	}
}

func TestR04_ABrokerThatWasNeverSeenMeans503(t *testing.T) {
	t.Parallel()
	broker, guard := served(t)
	broker.Break(fake.Faults{Status500: true})
	if got := status(guard, accessToken(broker)); got != http.StatusServiceUnavailable {
		t.Errorf("status %d", got)
	}
	broker, guard = served(t)
	if got := status(guard, accessToken(broker)); got != http.StatusNotFound {
		t.Errorf("the twin: status %d", got)
	}
}

func TestR05_AKeyThatRotatedInIsFound(t *testing.T) {
	t.Parallel()
	broker, guard := served(t)
	if got := status(guard, accessToken(broker)); got != http.StatusNotFound {
		t.Fatalf("status %d", got)
	}
	broker.Rotate()
	if got := status(guard, accessToken(broker)); got != http.StatusNotFound {
		t.Errorf("after the rotation: status %d", got)
	}
}

// Random kids do not turn the API into a hammer on the broker.
func TestA74_RandomKidsFetchKeysTwiceAtMost(t *testing.T) {
	t.Parallel()
	broker, guard := served(t)
	status(guard, accessToken(broker))
	before := broker.Requests(fake.PathJWKS)
	for i := range 50 {
		forged := broker.Mint(claims(nil), fake.Typ("at+jwt"), fake.Kid(strings.Repeat("k", i+1)))
		if got := status(guard, forged); got != http.StatusUnauthorized {
			t.Fatalf("status %d", got)
		}
	}
	if n := broker.Requests(fake.PathJWKS) - before; n > 2 {
		t.Errorf("%d fetches", n)
	}
	if got := status(guard, accessToken(broker)); got != http.StatusNotFound {
		t.Errorf("the twin: status %d", got)
	}
}
