package main

import (
	"context"
	"crypto"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/upstream/saml"
)

// A JWT becomes an assertion for a service that speaks SAML. What checks it is a broker of the service's own, whose only trust we are.
func TestAJWTBecomesAnAssertion(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	form := func(requested string) url.Values {
		f := exchangeForm(a.partner.Mint(foreignClaims(a.partner)), "jwt")
		f.Set("audience", "ledger")
		f.Set("scope", "book.read")
		return with(f, "requested_token_type", requested)
	}
	out := a.ask(t, "gateway", form(oauth.TokenTypeSAML2), nil)
	if out.Status != http.StatusOK || out.Token.IssuedTokenType != oauth.TokenTypeSAML2 || out.Token.TokenType != "N_A" || out.Token.Scope != "book.read" {
		t.Fatalf("%d %s", out.Status, out.Body)
	}
	s, err := ledger(t, a).Assertion(t.Context(), ledgerPolicy(t), out.Token.AccessToken, "books")
	if err != nil {
		t.Fatal(err)
	}
	partner := trust.DeriveSub(a.partner.Issuer(), "sub", "svc-1")
	if s.Value != partner || s.Claims["department"] != "logistics" || s.Claims["client_id"] != "gateway" || s.Claims["scope"] != "book.read" ||
		s.TokenID != out.Audit[0].IssuedID || s.Expires.After(time.Now().Add(10*time.Minute)) || s.Expires.Before(time.Now().Add(4*time.Minute)) {
		t.Errorf("%+v", s)
	}
	// What the API takes is what comes when nothing is asked for.
	if out := a.ask(t, "gateway", form(""), nil); out.Status != http.StatusOK || out.Token.IssuedTokenType != oauth.TokenTypeSAML2 {
		t.Errorf("%d %s", out.Status, out.Body)
	}
	// It is worth nothing here again.
	again := exchangeForm(out.Token.AccessToken, "saml2")
	if out := a.ask(t, "portal", again, nil); out.Status != http.StatusBadRequest || out.Audit[0].Reason != string(trust.ReasonType) {
		t.Errorf("our own assertion is exchanged: %d %s", out.Status, out.Body)
	}
	for _, requested := range []string{oauth.TokenTypeAccessToken, oauth.TokenTypeJWT} {
		if out := a.ask(t, "gateway", form(requested), nil); out.Status != http.StatusBadRequest || out.Audit[0].Reason != string(trust.ReasonUnsupportedType) {
			t.Errorf("%s for a service that takes assertions: %d %s", requested, out.Status, out.Body)
		}
	}
}

// ledger is the verifier of the service: our published keys are its pinned ones.
func ledger(t *testing.T, a *arena) *saml.Verifier {
	t.Helper()
	key, err := a.server.ring.Signer("ES256")
	if err != nil {
		t.Fatal(err)
	}
	return &saml.Verifier{Keys: pinned{key.Key.Public()}, Now: time.Now}
}

type pinned []crypto.PublicKey

func (p pinned) Signers(context.Context, string) ([]crypto.PublicKey, error) {
	return slices.Clone(p), nil
}

func ledgerPolicy(t *testing.T) *trust.Registry {
	t.Helper()
	reg, problems := trust.Compile(trust.Spec{
		Issuer: "https://books.west.example",
		APIs:   map[string]trust.APISpec{"books": {Audience: "books", Scopes: map[string]string{"book.read": "See books"}}},
		Clients: map[string]trust.ClientSpec{
			"books": {Grants: []string{"token_exchange"}, APIs: map[string][]string{"books": {"book.read"}}},
		},
		Trusts: map[string]trust.TrustSpec{"west": {
			Issuer: ours, KeySource: "pinned",
			SAML2:  &trust.AssertionSpec{Audiences: []string{"https://ledger.west.example/sp"}, Recipients: []string{"https://ledger.west.example/acs"}},
			Grants: []trust.GrantSpec{{Clients: []string{"books"}, API: "books", Scopes: []string{"book.read"}}},
		}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return reg
}

// Every character of the answer is of base64url: it goes into forms.
func TestAnIssuedAssertionIsBase64URL(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	f := exchangeForm(a.partner.Mint(foreignClaims(a.partner)), "jwt")
	f.Set("audience", "https://ledger.west.example/sp")
	f.Set("scope", "book.read")
	out := a.ask(t, "gateway", f, nil)
	if _, err := base64.RawURLEncoding.Strict().DecodeString(out.Token.AccessToken); err != nil || out.Token.AccessToken == "" {
		t.Errorf("%q: %v", out.Token.AccessToken, err)
	}
}
