package mint_test

import (
	"crypto"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"apostille/broker/mint"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/trust/xmlsec"
)

// service takes assertions.
func service(change func(*trust.Decision)) *trust.Decision {
	return decision(func(d *trust.Decision) {
		d.Token = trust.TokenSpec{Alg: "RS256", Format: trust.FormatSAML2, Recipient: "https://warehouse.example/acs?a=1&b=2"}
		if change != nil {
			change(d)
		}
	})
}

func TestAnAssertionSaysWhatATokenSays(t *testing.T) {
	t.Parallel()
	m, keys := newMinter()
	for _, alg := range []string{"RS256", "ES256"} {
		d := service(func(d *trust.Decision) {
			d.Token.Alg = alg
			d.Claims = map[string]any{"department": `<R&D> "x"`, "groups": []any{"a", "b"}, "level": 3.0}
			d.AuthTime, d.ACR = now.Add(-time.Minute), "high"
		})
		token, err := m.Mint(d, now)
		if err != nil {
			t.Fatal(err)
		}
		document, err := base64.RawURLEncoding.DecodeString(token.Raw)
		if err != nil {
			t.Fatal(err)
		}
		root, err := xmlsec.Parse(document)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := xmlsec.Verify(root, []crypto.PublicKey{keys[jose.Alg(alg)].Public()}); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		for _, want := range []string{
			`ID="` + token.ID + `"`, `IssueInstant="2026-11-02T09:00:00Z"`, `<saml:Issuer>` + issuer + `</saml:Issuer>`,
			`NameQualifier="` + issuer + `">` + d.Sub + `</saml:NameID>`, `Recipient="https://warehouse.example/acs?a=1&amp;b=2"`,
			`NotOnOrAfter="2026-11-02T09:10:00Z"`, `<saml:Audience>https://warehouse.example</saml:Audience>`, `AuthnInstant="2026-11-02T08:59:00Z"`,
			`<saml:AuthnContextClassRef>high</saml:AuthnContextClassRef>`, `<saml:AttributeValue>portal</saml:AttributeValue>`,
			`<saml:AttributeValue>stock.order</saml:AttributeValue><saml:AttributeValue>stock.read</saml:AttributeValue>`,
			`&lt;R&amp;D&gt;`, `<saml:AttributeValue>a</saml:AttributeValue><saml:AttributeValue>b</saml:AttributeValue>`, `<saml:AttributeValue>3</saml:AttributeValue>`,
		} {
			if !strings.Contains(string(document), want) {
				t.Errorf("it does not say %s:\n%s", want, document)
			}
		}
		if !token.Expires.Equal(now.Truncate(time.Second).Add(10*time.Minute)) || !strings.HasPrefix(token.ID, "_") || token.Claims != nil || strings.Contains(string(document), "X509") {
			t.Errorf("%+v", token)
		}
	}
}

func TestWhatIsNoAssertionIsNotMade(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	for name, change := range map[string]func(*trust.Decision){
		"a refusal":                func(d *trust.Decision) { d.Granted = false },
		"no lifetime":              func(d *trust.Decision) { d.Expires = now },
		"an algorithm XML has not": func(d *trust.Decision) { d.Token.Alg = "EdDSA" },
		"more than fits":           func(d *trust.Decision) { d.Claims = map[string]any{"x": strings.Repeat("y", 9000)} },
	} {
		if token, err := m.Mint(service(change), now); err == nil || token.Raw != "" {
			t.Errorf("%s: %q, error %v", name, token.Raw, err)
		}
	}
	for _, text := range []string{"a\x00b", "a\x1bb", "a\xffb", "a\uffff"} {
		if _, err := m.Mint(service(func(d *trust.Decision) { d.Claims = map[string]any{"x": []any{"good", text}} }), now); !errors.Is(err, mint.ErrText) {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err := m.Mint(service(func(d *trust.Decision) { d.Claims = map[string]any{"x": strings.Repeat("y", 9000)} }), now)
	if !errors.Is(err, mint.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}
