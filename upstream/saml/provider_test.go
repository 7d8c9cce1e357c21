package saml_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream"
	"apostille/upstream/fake"
	"apostille/upstream/saml"
)

// ourKey is expensive to make, and no test changes it.
var ourKey = sync.OnceValue(func() *fake.IdP { return fake.NewIdP("us", "RS256") })

// provider is a service provider with one office; change edits how it is talked to.
func provider(t testing.TB, change func(*saml.Login), policy func(*trust.Spec)) (*saml.ServiceProvider, *trust.Trust) {
	t.Helper()
	_, reg := world(t, func(s *trust.Spec) {
		office := s.Trusts["office"]
		office.Login = &trust.LoginSpec{Protocol: trust.ProtocolSAML, ACR: map[string]string{"urn:strong": "mfa", "urn:a": "any", "urn:b": "any"}}
		s.Trusts["office"] = office
		if policy != nil {
			policy(s)
		}
	})
	cfg := saml.Login{SSOURL: "https://idp.hq.example/sso?tenant=1", SSOBinding: saml.BindingRedirect, SignRequests: true}
	if change != nil {
		change(&cfg)
	}
	own := func() (saml.OwnKeys, error) {
		k := saml.OwnKey{Key: ourKey().Key, Certificate: ourKey().Certificate()}
		return saml.OwnKeys{Signing: []saml.OwnKey{k}, Encryption: []saml.OwnKey{k}}, nil
	}
	sp := &saml.ServiceProvider{
		Issuer: us, Configs: func(id string) (saml.Login, bool) { return cfg, id == "office" }, Keys: signers{"office": {office.Key.Public()}},
		Own: own, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	}
	tr, _ := reg.Trust("office")
	return sp, tr
}

// answered finishes a login with a Response to it, which change makes of a good assertion.
func answered(t testing.TB, sp *saml.ServiceProvider, tr *trust.Trust, change func(a *fake.Assertion)) (upstream.Login, error) {
	t.Helper()
	start, err := sp.Begin(t.Context(), tr, "state", acs, upstream.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	a := draft()
	a.Audience, a.Recipient, a.InResponseTo = sp.EntityID(), acs, string(start.Secret)
	if change != nil {
		change(&a)
	}
	response := fake.ResponseTo(them, acs, string(start.Secret), noon, office.Assertion(a))
	return sp.Finish(t.Context(), tr, acs, upstream.Answer{
		Secret: start.Secret, Begun: noon, Params: url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(response))}},
	})
}

func TestARequestSaysWhatIsAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		ask       upstream.Ask
		cfg       func(*saml.Login)
		has, lack string
	}{
		{"nothing in particular", upstream.Ask{}, nil, `AssertionConsumerServiceURL="` + acs + `"`, "ForceAuthn"},
		{"whom to answer", upstream.Ask{}, nil, `>` + us + saml.MetadataPath + `<`, ` Format=`},
		{"an entityID of its own", upstream.Ask{}, func(c *saml.Login) { c.EntityID = "urn:us" }, `>urn:us<`, "IsPassive"},
		{"a fresh login", upstream.Ask{Force: true}, nil, `ForceAuthn="true"`, "RequestedAuthnContext"},
		{"a login of some age", upstream.Ask{HasMaxAge: true, MaxAge: time.Hour}, nil, `ForceAuthn="true"`, "RequestedAuthnContext"},
		{"a class that is known", upstream.Ask{ACRValues: []string{"unknown", "mfa", "any"}}, nil, `>urn:strong<`, "urn:a"},
		{"a class of two names, always the same", upstream.Ask{ACRValues: []string{"any"}}, nil, `>urn:a<`, "urn:b"},
		{"a class that nobody knows", upstream.Ask{ACRValues: []string{"unknown"}}, nil, `NameIDPolicy`, "RequestedAuthnContext"},
		{"a NameID", upstream.Ask{}, func(c *saml.Login) { c.NameIDFormat = "urn:x" }, ` Format="urn:x"`, "ForceAuthn"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, binding := range []string{saml.BindingRedirect, saml.BindingPost} {
				sp, tr := provider(t, func(l *saml.Login) {
					l.SSOBinding = binding
					if c.cfg != nil {
						c.cfg(l)
					}
				}, nil)
				start, err := sp.Begin(t.Context(), tr, "a state & more", acs, c.ask)
				if err != nil {
					t.Fatal(err)
				}
				text, relay, err := fake.ReadSent(start.URL, start.Form, []crypto.PublicKey{ourKey().Key.Public()})
				if err != nil {
					t.Fatalf("%s: %v", binding, err)
				}
				if relay != "a state & more" || !strings.HasPrefix(start.URL, "https://idp.hq.example/sso?tenant=1") || !strings.Contains(text, string(start.Secret)) {
					t.Errorf("%s: RelayState %q, URL %s", binding, relay, start.URL)
				}
				if !strings.Contains(text, c.has) || strings.Contains(text, c.lack) {
					t.Errorf("%s: wanted %s and no %s:\n%s", binding, c.has, c.lack, text)
				}
			}
		})
	}
}

func TestALoginSaysWhoWhenAndHowLong(t *testing.T) {
	t.Parallel()
	sp, tr := provider(t, func(c *saml.Login) {
		c.Logout = true
		c.Attributes = map[string]string{"department": "unit"}
	}, nil)
	l, err := answered(t, sp, tr, func(a *fake.Assertion) {
		a.AuthnAt, a.SessionIndex, a.Class = noon.Add(-time.Minute), "_s", "urn:strong"
		a.SessionEnd = noon.Add(time.Hour)
	})
	if err != nil {
		t.Fatal(err)
	}
	s := l.Subject
	if s.Credential != trust.CredentialLogin || !s.SignedIn || s.Trust != "office" || s.Origin != "office" || s.Value != "kim" || s.SessionID != "_s" || s.ACR != "mfa" ||
		!s.AuthTime.Equal(noon.Add(-time.Minute)) || !s.Expires.Equal(noon.Add(time.Hour)) || s.Claims["unit"] != "logistics" || s.Claims["email"] != "kim@hq.example" {
		t.Errorf("%+v", s)
	}
	if l.OnceUntil.Before(noon.Add(5*time.Minute)) || !strings.Contains(l.IDToken, "_s") {
		t.Errorf("%+v", l)
	}
	if _, err := trust.EncodeLogin(s); err != nil {
		t.Error(err)
	}
}

func TestAttributeScopesBindWhatAnOfficeSays(t *testing.T) {
	t.Parallel()
	for value, good := range map[string]bool{"staff@hq.example": true, "staff@HQ.example": true, "staff@other.example": false, "staff@sub.hq.example": false, "staff": false, "a@hq.example@other.example": false} {
		sp, tr := provider(t, nil, scopedOffice)
		_, err := answered(t, sp, tr, func(a *fake.Assertion) {
			a.Attributes = []fake.Attribute{{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.9", Values: []string{"member@hq.example", value}}}
		})
		if (err == nil) != good {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// Two @ passed if the last part was right, which is another domain to whoever reads up to the first; and a value without @ stood whole in the
// refusal, so in the audit trail (THREATS A119).
func TestA119_AScopedValueHasOneDomainAndItsTextIsNotTold(t *testing.T) {
	t.Parallel()
	for value, good := range map[string]bool{"kim@hq.example": true, "kim@other.example@hq.example": false, "kim-private": false, "kim-private@other.example": false} {
		sp, tr := provider(t, nil, scopedOffice)
		_, err := answered(t, sp, tr, func(a *fake.Assertion) {
			a.Attributes = []fake.Attribute{{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", Values: []string{value}}}
		})
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), "kim") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// The names of SAML 1.x passed without a look at their domain.
func TestA68_AnAttributeUnderItsOldNameHasADomainToo(t *testing.T) {
	t.Parallel()
	for value, good := range map[string]bool{"kim@hq.example": true, "boss@other.example": false} {
		sp, tr := provider(t, nil, scopedOffice)
		l, err := answered(t, sp, tr, func(a *fake.Assertion) {
			a.Attributes = []fake.Attribute{{Name: "urn:mace:dir:attribute-def:eduPersonPrincipalName", Values: []string{value}}}
		})
		if (err == nil) != good || good && l.Subject.Claims["eduPersonPrincipalName"] != value {
			t.Errorf("%s: %v, %v", value, l.Subject.Claims, err)
		}
	}
}

// What `attributes` renamed was not looked at again.
func TestA68_ARenamedAttributeHasADomainToo(t *testing.T) {
	t.Parallel()
	for value, good := range map[string]bool{"kim@hq.example": true, "boss@other.example": false} {
		sp, tr := provider(t, func(c *saml.Login) { c.Attributes = map[string]string{"login": "eduPersonPrincipalName"} }, scopedOffice)
		l, err := answered(t, sp, tr, func(a *fake.Assertion) {
			a.Attributes = []fake.Attribute{{Name: "login", Values: []string{value}}}
		})
		if (err == nil) != good || good && l.Subject.Claims["eduPersonPrincipalName"] != value {
			t.Errorf("%s: %v, %v", value, l.Subject.Claims, err)
		}
	}
}

// One name that is given away and taken at once: which value won was chance.
func TestAttributesAreRenamedAtOnce(t *testing.T) {
	t.Parallel()
	sp, tr := provider(t, func(c *saml.Login) { c.Attributes = map[string]string{"a": "b", "b": "c", "c": "d"} }, nil)
	for range 20 {
		l, err := answered(t, sp, tr, func(a *fake.Assertion) {
			a.Attributes = []fake.Attribute{{Name: "a", Values: []string{"1"}}, {Name: "b", Values: []string{"2"}}, {Name: "c", Values: []string{"3"}}}
		})
		if c := l.Subject.Claims; err != nil || c["b"] != "1" || c["c"] != "2" || c["d"] != "3" {
			t.Fatalf("%v, %v", c, err)
		}
	}
}

func scopedOffice(s *trust.Spec) {
	office := s.Trusts["office"]
	office.AttributeScopes = []string{"hq.example"}
	s.Trusts["office"] = office
}

// Also of a login that is not fresh, which the application is to hear of: else such answers could be kept without end (A120).
func TestScreenNamesTheCredential(t *testing.T) {
	t.Parallel()
	sp, tr := provider(t, nil, nil)
	start, err := sp.Begin(t.Context(), tr, "state", acs, upstream.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	a := draft()
	a.Audience, a.Recipient, a.InResponseTo, a.AuthnAt = sp.EntityID(), acs, string(start.Secret), noon.Add(-time.Hour)
	signed := office.Assertion(a)
	for name, c := range map[string]struct {
		document string
		ask      upstream.Ask
		id       string
	}{
		"a good one":    {signed, upstream.Ask{}, "_a1"},
		"an old login":  {signed, upstream.Ask{Force: true}, "_a1"},
		"one by others": {rogue.Assertion(a), upstream.Ask{}, ""},
	} {
		response := fake.ResponseTo(them, acs, string(start.Secret), noon, c.document)
		in := upstream.Answer{Secret: start.Secret, Ask: c.ask, Begun: noon, Params: url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(response))}}}
		if id, err := sp.Screen(t.Context(), tr, acs, in); id != c.id || (err == nil) != (c.id != "") {
			t.Errorf("%s: %q, %v", name, id, err)
		}
		if l, err := sp.Finish(t.Context(), tr, acs, in); err != nil && l.Subject.TokenID != "" {
			t.Errorf("%s: Finish gives %+v beside an error", name, l)
		}
	}
}

func TestNobodySignsInWhereALoginIsNotLive(t *testing.T) {
	t.Parallel()
	sp, tr := provider(t, nil, nil)
	disabled, none := *tr, *tr
	disabled.Spec.Disabled, none.Spec.Login = true, nil
	unknown := *tr
	unknown.ID = "another"
	for _, bad := range []*trust.Trust{nil, &disabled, &none, &unknown} {
		var e *upstream.Error
		if _, err := sp.Begin(t.Context(), bad, "s", acs, upstream.Ask{}); !errors.As(err, &e) || e.Reason != trust.ReasonTrustNotLive {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// R15: a panic in a library, here of whoever has the keys, is a failed login; its value is not told.
func TestR15_APanicIsAFailedLogin(t *testing.T) {
	t.Parallel()
	sp, tr := provider(t, nil, nil)
	sp.Keys = panicking{}
	_, err := answered(t, sp, tr, nil)
	var e *upstream.Error
	if !errors.As(err, &e) || e.Reason != trust.ReasonPanic || strings.Contains(err.Error(), "secret") || strings.Contains(errors.Unwrap(e).Error(), "secret") {
		t.Errorf("%v", err)
	}
}

type panicking struct{}

func (panicking) Signers(context.Context, string) ([]crypto.PublicKey, error) { panic("secret") }
