package exchange_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"apostille/broker/oauth"
	"apostille/exchange"
	"apostille/trust"
	"apostille/upstream/oidc"
)

// verifier notes what it is asked for.
type verifier struct {
	raw  string
	want oidc.Want
	err  error
}

func (v *verifier) Verify(_ context.Context, _ *trust.Registry, raw string, want oidc.Want) (trust.Subject, error) {
	v.raw, v.want = raw, want
	return trust.Subject{Sub: "verified"}, v.err
}

const access, id, jwt = oauth.TokenTypeAccessToken, oauth.TokenTypeIDToken, oauth.TokenTypeJWT

func TestDeclaredTypesMeanThis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, declared string
		want           oidc.Want
	}{
		{"a jwt is a foreign JWT or our own token", jwt, oidc.Want{Type: trust.CredentialJWT, OrOwn: true, Client: "portal"}},
		{"an access_token is its alias, and may be an opaque one of ours", access, oidc.Want{Type: trust.CredentialJWT, OrOwn: true, Handle: true, Client: "portal"}},
		{"an id_token is an ID token and nothing else", id, oidc.Want{Type: trust.CredentialIDToken, Client: "portal"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &verifier{}
			got, err := exchange.TokenExchange{Verifier: v}.Subject(t.Context(), nil, "portal",
				oauth.ParamsOf("subject_token", "a.b.c", "subject_token_type", c.declared))
			if err != nil || got.Sub != "verified" || v.raw != "a.b.c" || v.want != c.want {
				t.Errorf("subject %+v, error %v, asked for %q as %+v", got, err, v.raw, v.want)
			}
		})
	}
}

func TestTheJWTBearerGrantTakesForeignTokensOnly(t *testing.T) {
	t.Parallel()
	v := &verifier{}
	if _, err := (exchange.JWTBearer{Verifier: v}).Subject(t.Context(), nil, "portal", oauth.ParamsOf("assertion", "a.b.c")); err != nil {
		t.Fatal(err)
	}
	if want := (oidc.Want{Type: trust.CredentialJWT, Client: "portal"}); v.want != want || v.raw != "a.b.c" {
		t.Errorf("asked for %q as %+v", v.raw, v.want)
	}
}

// assertions notes what it is asked for.
type assertions struct{ encoded, client string }

func (a *assertions) Assertion(_ context.Context, _ *trust.Registry, encoded, client string) (trust.Subject, error) {
	a.encoded, a.client = encoded, client
	return trust.Subject{Sub: "asserted"}, nil
}

func TestAssertionsGoToTheirOwnVerifier(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(exchange.Verifier, exchange.Assertions) (trust.Subject, error){
		"an exchange": func(v exchange.Verifier, a exchange.Assertions) (trust.Subject, error) {
			return exchange.TokenExchange{Verifier: v, Assertions: a}.Subject(t.Context(), nil, "portal",
				oauth.ParamsOf("subject_token", "PHg+", "subject_token_type", oauth.TokenTypeSAML2))
		},
		"the grant": func(_ exchange.Verifier, a exchange.Assertions) (trust.Subject, error) {
			return exchange.SAML2Bearer{Assertions: a}.Subject(t.Context(), nil, "portal", oauth.ParamsOf("assertion", "PHg+"))
		},
	} {
		v, a := &verifier{}, &assertions{}
		if got, err := ask(v, a); err != nil || got.Sub != "asserted" || a.encoded != "PHg+" || a.client != "portal" || v.raw != "" {
			t.Errorf("%s: subject %+v, error %v, asked for %+v", name, got, err, a)
		}
	}
	for name, params := range map[string][]string{
		"no assertion":                      nil,
		"a subject_token beside":            {"assertion", "x", "subject_token", "x"},
		"an actor beside the assertion":     {"assertion", "x", "actor_token", "x"},
		"a request object beside assertion": {"assertion", "x", "request", "x"},
	} {
		a := &assertions{}
		if _, err := (exchange.SAML2Bearer{Assertions: a}).Subject(t.Context(), nil, "portal", oauth.ParamsOf(params...)); err == nil || a.encoded != "" {
			t.Errorf("%s: error %v, verified %q", name, err, a.encoded)
		}
	}
}

func TestA77_RequestsThatAreRefusedBeforeAnythingIsVerified(t *testing.T) {
	t.Parallel()
	v := &verifier{}
	exchanges, bearer, own := exchange.TokenExchange{Verifier: v}, exchange.JWTBearer{Verifier: v}, exchange.ClientCredentials{}
	type grant interface {
		Subject(context.Context, *trust.Registry, string, oauth.Params) (trust.Subject, error)
	}
	full := []string{"subject_token", "a.b.c", "subject_token_type", jwt}
	for _, c := range []struct {
		name   string
		grant  grant
		params []string
		reason trust.Reason
		code   string
		says   string
	}{
		{"no subject_token", exchanges, full[2:], trust.ReasonRequest, "", "subject_token is missing"},
		{"no subject_token_type", exchanges, full[:2], trust.ReasonRequest, "", "subject_token_type is missing"},
		{"an unknown subject_token_type", exchanges, append(full[:3:3], "urn:x"), trust.ReasonUnsupportedType, "", jwt},
		{"SAML 1.1", exchanges, append(full[:3:3], oauth.TokenTypeSAML1), trust.ReasonUnsupportedType, "", jwt},
		{"a refresh token asked for", exchanges, append(full[:4:4], "requested_token_type", oauth.TokenTypeRefresh), trust.ReasonUnsupportedType, "", access},
		{"an ID token asked for", exchanges, append(full[:4:4], "requested_token_type", id), trust.ReasonUnsupportedType, "", access},
		{"an actor", exchanges, append(full[:4:4], "actor_token", "x"), trust.ReasonUnsupportedParam, oauth.CodeInvalidRequest, "actor_token"},
		{"an actor's type", exchanges, append(full[:4:4], "actor_token_type", "x"), trust.ReasonUnsupportedParam, oauth.CodeInvalidRequest, "actor_token_type"},
		{"RFC 9396 details", exchanges, append(full[:4:4], "authorization_details", "[]"), trust.ReasonUnsupportedParam, oauth.CodeInvalidDetails, "authorization_details"},
		{"a request object", exchanges, append(full[:4:4], "request", "x"), trust.ReasonUnsupportedParam, oauth.CodeRequestUnsupported, "request"},
		{"a request by reference", exchanges, append(full[:4:4], "request_uri", "x"), trust.ReasonUnsupportedParam, oauth.CodeRequestURI, "request_uri"},
		{"of several the first by name is told", exchanges, append(full[:4:4], "request_uri", "x", "claims", "{}"), trust.ReasonUnsupportedParam, oauth.CodeInvalidRequest, "claims"},
		{"an assertion beside it", exchanges, append(full[:4:4], "assertion", "x"), trust.ReasonRequest, "", "assertion does not belong"},
		{"no assertion", bearer, nil, trust.ReasonRequest, "", "assertion is missing"},
		{"a subject_token beside the assertion", bearer, append(full[:2:2], "assertion", "x"), trust.ReasonRequest, "", "subject_token does not belong"},
		{"an actor beside the assertion", bearer, []string{"assertion", "x", "actor_token", "x"}, trust.ReasonUnsupportedParam, oauth.CodeInvalidRequest, "actor_token"},
		{"a subject_token for client credentials", own, full, trust.ReasonRequest, "", "subject_token does not belong"},
		{"an assertion for client credentials", own, []string{"assertion", "x"}, trust.ReasonRequest, "", "assertion does not belong"},
		{"a code for client credentials", own, []string{"code", "x"}, trust.ReasonRequest, "", "code does not belong"},
		{"a password for client credentials", own, []string{"username", "x", "password", "x"}, trust.ReasonRequest, "", "does not belong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.grant.Subject(t.Context(), nil, "portal", oauth.ParamsOf(c.params...))
			var r *exchange.Refusal
			if !errors.As(err, &r) || r.Reason != c.reason || r.Code != c.code || !strings.Contains(r.Public, c.says) || got.Sub != "" {
				t.Errorf("subject %+v, refusal %+v, wanted %s %s with %q", got, r, c.reason, c.code, c.says)
			}
		})
	}
	t.Cleanup(func() {
		if v.raw != "" {
			t.Error("something was verified all the same")
		}
	})
}

func TestUnknownParametersAreIgnored(t *testing.T) {
	t.Parallel()
	v := &verifier{}
	p := oauth.ParamsOf("subject_token", "a.b.c", "subject_token_type", jwt, "connector_id", "x", "acr_values", "high", "ui_locales", "de")
	if _, err := (exchange.TokenExchange{Verifier: v}).Subject(t.Context(), nil, "", p); err != nil {
		t.Error(err)
	}
}

func TestTheAnswersTypeIsAsAskedFor(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{"": access, access: access, jwt: jwt} {
		if got := (exchange.TokenExchange{}).IssuedTokenType(oauth.ParamsOf("requested_token_type", asked)); got != want {
			t.Errorf("asked for %q: %q, wanted %q", asked, got, want)
		}
	}
	for _, g := range []interface{ IssuedTokenType(oauth.Params) string }{exchange.JWTBearer{}, exchange.ClientCredentials{}} {
		if got := g.IssuedTokenType(oauth.ParamsOf("requested_token_type", jwt)); got != "" {
			t.Errorf("%T has RFC 8693's issued_token_type %q", g, got)
		}
	}
}

func TestClientCredentialsSpeakForTheAuthenticatedClientOnly(t *testing.T) {
	t.Parallel()
	reg, problems := trust.Compile(trust.Spec{Issuer: "https://id.example"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s, err := exchange.ClientCredentials{}.Subject(t.Context(), reg, "portal", oauth.ParamsOf("client_id", "somebody"))
	if err != nil || s.Sub != "client:portal" || s.Credential != trust.CredentialClient || s.Trust != trust.Local || s.Origin != trust.Local || s.OneTime {
		t.Errorf("subject %+v, error %v", s, err)
	}
	_, err = exchange.ClientCredentials{}.Subject(t.Context(), reg, "", oauth.ParamsOf("client_id", "portal"))
	var r *exchange.Refusal
	if !errors.As(err, &r) || r.Reason != trust.ReasonClientAuth {
		t.Errorf("without authentication: %v", err)
	}
	if got := (exchange.ClientCredentials{}).Credential(oauth.ParamsOf("subject_token", "x")); got != "" {
		t.Errorf("credential %q", got)
	}
}

func TestAnyErrorBecomesARefusal(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk on fire")
	for _, c := range []struct {
		name string
		err  error
		want trust.Reason
	}{
		{"a refusal stays one", &exchange.Refusal{Reason: trust.ReasonRequest, Cause: cause}, trust.ReasonRequest},
		{"one that is wrapped is found", errors.Join(&exchange.Refusal{Reason: trust.ReasonRequest, Cause: cause}), trust.ReasonRequest},
		{"a verifier's error keeps its reason", &oidc.Error{Reason: trust.ReasonSignature, Cause: cause}, trust.ReasonSignature},
		{"anything else is our own fault", cause, trust.ReasonPanic},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := exchange.AsRefusal(c.err)
			if r.Reason != c.want || !errors.Is(r, cause) {
				t.Errorf("%+v", r)
			}
			if e := oauth.ErrorFor(trust.GrantTokenExchange, r.Reason, r); e.Status == http.StatusOK || strings.Contains(e.Description, "fire") {
				t.Errorf("told as %+v", e)
			}
		})
	}
}
