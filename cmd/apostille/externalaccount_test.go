package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"apostille/broker/oauth"
	"apostille/trust/jose"
	"apostille/upstream/fake"
	"apostille/upstream/fetch"

	"golang.org/x/oauth2/google/externalaccount"
)

const workloadConfig = `issuer = "BROKER"
dev = true

[listener]
address = "ADDRESS"

[api.warehouse]
audience = "https://warehouse.west.example"
scopes = { "stock.read" = "See stock levels" }

[trust.cloud]
issuer = "https://cloud.example"
keys = { jwks_file = "cloud.json" }

[trust.cloud.exchange]
jwt = { audiences = ["BROKER"] }

[[trust.cloud.grant]]
unauthenticated = UNAUTHENTICATED
CLIENTS
api = "warehouse"
scopes = ["stock.read"]
when = { sub = { prefix = "ns/warehouse/" } }

[client.portal]
secret = "public"
grants = ["token_exchange"]
apis = { warehouse = ["stock.read"] }
`

// serveWorkloads runs a broker whose one trust is the cloud. It ends with the test.
func serveWorkloads(t *testing.T, cloud *fake.Provider, brokerURL func(string), unauthenticated bool) *cast {
	t.Helper()
	folder := t.TempDir()
	p, err := openPlaces(0)
	if err != nil {
		t.Fatal(err)
	}
	c := &cast{
		urls: p.urls(), configFile: filepath.Join(folder, "apostille.toml"), logFile: filepath.Join(t.TempDir(), "broker.log"),
		http: fetch.New(fetch.Options{Dev: true}).Client(nil, true), failed: make(chan error, 1),
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	holders := []string{"true", ""}
	if !unauthenticated {
		holders = []string{"false", `clients = ["portal"]`}
	}
	text := strings.NewReplacer("BROKER", c.urls.Broker, "ADDRESS", c.urls.BrokerAddress,
		"UNAUTHENTICATED", holders[0], "CLIENTS", holders[1]).Replace(workloadConfig)
	if code, _, errors := command(t, "init", "--dir", folder); code != exitOK {
		t.Fatal(errors)
	}
	for name, content := range map[string][]byte{"apostille.toml": []byte(text), "cloud.json": cloud.JWKS()} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(folder, "trust.d")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.cancel = cancel
	t.Cleanup(c.stop)
	brokerURL(c.urls.Broker)
	if err := c.serveBroker(ctx); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestExternalAccountWorksUnmodified: Google's workload federation client sends no client authentication and knows nothing of us.
func TestExternalAccountWorksUnmodified(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		unauthenticated bool
		subject, clientID,
		clientSecret string
		audience            string
		wantClient, refused string
	}{
		{"an unauthenticated rule takes the token for the credential", true, "ns/warehouse/picker", "", "", "warehouse", "trust:cloud", ""},
		{"the audience may be written as the API's", true, "ns/warehouse/picker", "", "", "https://warehouse.west.example", "trust:cloud", ""},
		{"its conditions hold all the same", true, "ns/canteen/cook", "", "", "warehouse", "", "invalid_target"},
		{"a rule that names clients wants a client", false, "ns/warehouse/picker", "", "", "warehouse", "", "invalid_client"},
		{"a client that proves itself is let in by its rule", false, "ns/warehouse/picker", "portal", "public", "warehouse", "portal", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud := fake.NewProvider(fake.Options{Issuer: "https://cloud.example", Alg: jose.RS256})
			tokenFile := filepath.Join(t.TempDir(), "token")
			c := serveWorkloads(t, cloud, func(url string) {
				token := cloud.Mint(map[string]any{"sub": tt.subject, "aud": url})
				if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
					t.Fatal(err)
				}
			}, tt.unauthenticated)

			source, err := externalaccount.NewTokenSource(t.Context(), externalaccount.Config{
				Audience:         tt.audience,
				SubjectTokenType: oauth.TokenTypeJWT,
				TokenURL:         "http://" + c.urls.BrokerAddress + "/oauth2/token",
				Scopes:           []string{"stock.read"},
				ClientID:         tt.clientID,
				ClientSecret:     tt.clientSecret,
				CredentialSource: &externalaccount.CredentialSource{File: tokenFile},
			})
			if err != nil {
				t.Fatal(err)
			}
			token, err := source.Token()
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("want %s, got %v", tt.refused, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			issued, err := jose.Parse(token.AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			if token.TokenType != "Bearer" || issued.Claims["client_id"] != tt.wantClient || issued.Claims["scope"] != "stock.read" ||
				issued.Claims["aud"] != "https://warehouse.west.example" || token.Expiry.IsZero() {
				t.Errorf("token type %q, expiry %v, claims %v", token.TokenType, token.Expiry, issued.Claims)
			}
		})
	}
}
