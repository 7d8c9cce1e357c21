package saml_test

import (
	"context"
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream/fake"
	"apostille/upstream/keys"
	"apostille/upstream/saml"
)

const (
	us     = "https://id.west.example"
	them   = "https://idp.hq.example/entity"
	others = "https://idp.other.example/entity"
)

var (
	noon   = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	office = fake.NewIdP(them, "RS256")
	rogue  = fake.NewIdP(them, "RS256")
)

// signers are the keys of each trust.
type signers map[string][]crypto.PublicKey

func (s signers) Signers(_ context.Context, trustID string) ([]crypto.PublicKey, error) {
	if k := s[trustID]; k != nil {
		return k, nil
	}
	return nil, keys.ErrUnavailable
}

// world is a registry and a verifier with the office's key; change edits the policy.
func world(t testing.TB, change func(*trust.Spec)) (*saml.Verifier, *trust.Registry) {
	t.Helper()
	spec := trust.Spec{
		Issuer: us,
		APIs:   map[string]trust.APISpec{"warehouse": {Audience: "https://warehouse.example", Scopes: map[string]string{"stock.read": "See stock"}}},
		Clients: map[string]trust.ClientSpec{
			"portal": {Grants: []string{"token_exchange", "saml2_bearer"}, APIs: map[string][]string{"warehouse": {"stock.read"}}},
		},
		Trusts: map[string]trust.TrustSpec{"office": {
			Issuer: them, KeySource: "static:1", SAML2: &trust.AssertionSpec{},
			Grants: []trust.GrantSpec{{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}}},
		}},
	}
	if change != nil {
		change(&spec)
	}
	reg, problems := trust.Compile(spec)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return &saml.Verifier{Keys: signers{"office": {office.Key.Public()}}, Now: func() time.Time { return noon }}, reg
}

// draft is a good assertion in the making.
func draft() fake.Assertion {
	return fake.Assertion{
		ID: "_a1", NameID: "kim", Audience: us, Recipient: us + "/oauth2/token", Now: noon,
		Attributes: []fake.Attribute{
			{Name: "department", Values: []string{"logistics"}},
			{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: []string{"kim@hq.example"}},
			{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.9", Values: []string{"staff@hq.example", "member@hq.example"}},
		},
	}
}

// bent is a good assertion in which before is written as after; then it is signed.
func bent(before, after string) string {
	a := draft()
	a.Bend = func(document string) string {
		if strings.Count(document, before) == 0 {
			panic("the document has no " + before)
		}
		return strings.Replace(document, before, after, 1)
	}
	return office.Assertion(a)
}

// wantRefusal verifies a document and expects a refusal.
func wantRefusal(t *testing.T, document string, reason trust.Reason, says string) {
	t.Helper()
	v, reg := world(t, nil)
	refused(t, v, reg, fake.Encode(document), reason, says)
}

func refused(t *testing.T, v *saml.Verifier, reg *trust.Registry, encoded string, reason trust.Reason, says string) {
	t.Helper()
	s, err := v.Assertion(t.Context(), reg, encoded, "portal")
	var e *saml.Error
	if !errors.As(err, &e) || e.Reason != reason || !strings.Contains(e.Detail, says) || s.Sub != "" {
		t.Errorf("subject %q, error %v, wanted %s with %q", s.Sub, err, reason, says)
		return
	}
	if n := len(e.Checks); n == 0 || e.Checks[n-1].OK {
		t.Errorf("the last check is not the one that failed: %+v", e.Checks)
	}
}

func accepted(t *testing.T, document string) trust.Subject {
	t.Helper()
	v, reg := world(t, nil)
	s, err := v.Assertion(t.Context(), reg, fake.Encode(document), "portal")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnAssertionBecomesASubject(t *testing.T) {
	t.Parallel()
	a := draft()
	a.SessionEnd = noon.Add(4 * time.Minute)
	s := accepted(t, office.Assertion(a))
	if s.Credential != trust.CredentialSAML2 || s.Trust != "office" || s.Origin != "office" || s.Issuer != them || s.Domain != them ||
		s.Value != "kim" || s.Kind != "NameID urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified" || s.Sub != trust.DeriveSub(them, s.Kind, "kim") ||
		s.TokenID != "_a1" || !s.OneTime || !s.IssuedAt.Equal(noon) || !s.Expires.Equal(noon.Add(4*time.Minute)) || s.HasScopes || s.SignedIn {
		t.Errorf("%+v", s)
	}
	for _, c := range s.Checks {
		if !c.OK {
			t.Errorf("a check failed: %+v", c)
		}
	}
	for claim, want := range map[string]any{
		"iss": them, "name_id": "kim", "department": "logistics", "mail": "kim@hq.example", "email": "kim@hq.example",
		"urn:oid:0.9.2342.19200300.100.1.3": "kim@hq.example", "authn_context": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
	} {
		if s.Claims[claim] != want {
			t.Errorf("claim %s is %v, wanted %v", claim, s.Claims[claim], want)
		}
	}
	if list, _ := s.Claims["eduPersonScopedAffiliation"].([]any); len(list) != 2 || list[0] != "staff@hq.example" {
		t.Errorf("affiliations %v", s.Claims["eduPersonScopedAffiliation"])
	}
}
