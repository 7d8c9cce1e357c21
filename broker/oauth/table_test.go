package oauth_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"apostille/broker/oauth"
	"apostille/trust"
)

// reasons reads every constant of type Reason from the source of trust, so that a new one cannot be forgotten here.
func reasons(t *testing.T) []trust.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "trust", "reason.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []trust.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Reason" {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, trust.Reason(text))
			}
		}
		return true
	})
	if len(out) < 45 {
		t.Fatalf("found %d reasons only", len(out))
	}
	return out
}

var grants = []trust.Grant{trust.GrantTokenExchange, trust.GrantJWTBearer, trust.GrantClientCredentials, trust.GrantCode, trust.GrantRefresh, ""}

func TestEveryReasonIsSpelledForEveryGrant(t *testing.T) {
	t.Parallel()
	const nobody = "the request could not be handled" // what an unknown reason says
	for _, reason := range reasons(t) {
		for _, grant := range grants {
			if grant == "" && reason.Class() == trust.ClassSubject {
				continue // a credential is read by a grant only
			}
			e := oauth.ErrorFor(grant, reason, nil)
			if e.Code == "" || e.Status < 400 || e.Status > 599 {
				t.Errorf("%s at %q: %+v", reason, grant, e)
			}
			if e.Description == "" || (e.Description == nobody && reason != trust.ReasonPanic) {
				t.Errorf("%s has no description of its own", reason)
			}
			if e.Description != oauth.Printable(e.Description) {
				t.Errorf("the description of %s is not printable: %q", reason, e.Description)
			}
			if internal := e.Status >= 500 && e.Status != 503; internal != (reason.Class() == trust.ClassInternal) {
				t.Errorf("%s at %q answers %d", reason, grant, e.Status)
			}
		}
	}
}

// The table of DESIGN's "Requests", row by row.
func TestTheErrorTable(t *testing.T) {
	t.Parallel()
	const (
		exchange = trust.GrantTokenExchange
		bearer   = trust.GrantJWTBearer
		own      = trust.GrantClientCredentials
		code     = trust.GrantCode
		refresh  = trust.GrantRefresh
	)
	for _, c := range []struct {
		name   string
		grant  trust.Grant
		reason trust.Reason
		code   string
		status int
		retry  int
	}{
		{"RFC 8693 §2.2.2: a bad subject token is invalid_request", exchange, trust.ReasonSignature, "invalid_request", 400, 0},
		{"RFC 8693 §2.2.2: an unacceptable subject token is invalid_request", exchange, trust.ReasonSubjectBlocked, "invalid_request", 400, 0},
		{"RFC 7523 §3.1: a bad assertion is invalid_grant", bearer, trust.ReasonSignature, "invalid_grant", 400, 0},
		{"RFC 7523 §3.1: an unacceptable assertion is invalid_grant", bearer, trust.ReasonRequire, "invalid_grant", 400, 0},
		{"a blocked client is invalid_grant", own, trust.ReasonSubjectBlocked, "invalid_grant", 400, 0},
		{"RFC 6749 §5.2: a bad code is invalid_grant", code, trust.ReasonCode, "invalid_grant", 400, 0},
		{"RFC 6749 §4.1.2: a code used twice is invalid_grant", code, trust.ReasonCodeReused, "invalid_grant", 400, 0},
		{"RFC 6749 §5.2: a bad refresh token is invalid_grant", refresh, trust.ReasonRefresh, "invalid_grant", 400, 0},
		{"RFC 9700 §4.14.2: a refresh token used twice is invalid_grant", refresh, trust.ReasonRefreshReused, "invalid_grant", 400, 0},
		{"a revoked sign-in is invalid_grant", refresh, trust.ReasonRevoked, "invalid_grant", 400, 0},
		{"consent that was withdrawn is invalid_grant", refresh, trust.ReasonConsent, "invalid_grant", 400, 0},
		{"a sign-in that no rule allows any more is invalid_grant", code, trust.ReasonSignIn, "invalid_grant", 400, 0},
		{"RFC 8693 §2.2.2: a revoked token of ours is invalid_request", exchange, trust.ReasonRevoked, "invalid_request", 400, 0},
		{"an office that cannot be asked is 503", refresh, trust.ReasonUpstreamDown, "temporarily_unavailable", 503, 1},
		{"a malformed request is invalid_request", bearer, trust.ReasonRequest, "invalid_request", 400, 0},
		{"RFC 6749 §5.2: failed authentication is invalid_client with 401", exchange, trust.ReasonClientAuth, "invalid_client", 401, 0},
		{"RFC 6749 §5.2: a grant the client lacks is unauthorized_client", exchange, trust.ReasonGrantNotAllowed, "unauthorized_client", 400, 0},
		{"RFC 6749 §5.2: an unknown grant is unsupported_grant_type", "", trust.ReasonUnsupportedGrant, "unsupported_grant_type", 400, 0},
		{"RFC 8707 §2: an unknown target is invalid_target", exchange, trust.ReasonTargetUnknown, "invalid_target", 400, 0},
		{"a rule that says no is invalid_target", exchange, trust.ReasonNoRule, "invalid_target", 400, 0},
		{"conditions that do not hold are invalid_target", bearer, trust.ReasonConditions, "invalid_target", 400, 0},
		{"an unknown scope is invalid_scope", own, trust.ReasonScopeUnknown, "invalid_scope", 400, 0},
		{"no scope left is invalid_scope", exchange, trust.ReasonScopeEmpty, "invalid_scope", 400, 0},
		{"RFC 6585 §4: too many requests are 429 and say when to come back", exchange, trust.ReasonRateLimited, "temporarily_unavailable", 429, 1},
		{"an unknown key asks to come back when its bucket has a token", exchange, trust.ReasonKeyUnknown, "invalid_request", 400, 10},
		{"keys that cannot be had are 503", exchange, trust.ReasonKeysUnavailable, "temporarily_unavailable", 503, 1},
		{"no audit record is 503", exchange, trust.ReasonAudit, "temporarily_unavailable", 503, 1},
		{"a full server is 503", exchange, trust.ReasonOverloaded, "temporarily_unavailable", 503, 1},
		{"a panic is server_error", exchange, trust.ReasonPanic, "server_error", 500, 0},
		{"an unknown reason is server_error", exchange, "made up", "server_error", 500, 0},
		{"the zero reason is server_error", exchange, "", "server_error", 500, 0},
		{"a subject's fault at an unknown grant is server_error", "made up", trust.ReasonSignature, "server_error", 500, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := oauth.ErrorFor(c.grant, c.reason, nil)
			if e.Code != c.code || e.Status != c.status || e.RetryAfter != c.retry {
				t.Errorf("got %s %d retry %d, wanted %s %d retry %d", e.Code, e.Status, e.RetryAfter, c.code, c.status, c.retry)
			}
		})
	}
}

func TestDescriptionsNameNothingOfThePolicy(t *testing.T) {
	t.Parallel()
	for _, reason := range reasons(t) {
		d := oauth.ErrorFor(trust.GrantTokenExchange, reason, errors.New("secret cause")).Description
		if strings.Contains(d, "secret cause") || strings.Contains(d, "%") {
			t.Errorf("%s tells strangers %q", reason, d)
		}
	}
}

func TestGrantNamesGoThereAndBack(t *testing.T) {
	t.Parallel()
	for _, g := range grants {
		if g == "" {
			continue
		}
		if name := oauth.GrantType(g); name == "" || oauth.GrantOf(name) != g {
			t.Errorf("%s is sent as %q, which is %q", g, name, oauth.GrantOf(name))
		}
	}
	for _, name := range []string{"", "password", "Client_Credentials", "token_exchange"} {
		if g := oauth.GrantOf(name); g != "" {
			t.Errorf("grant_type %q is %q", name, g)
		}
	}
	if oauth.GrantType("made up") != "" {
		t.Error("an unknown grant has a name")
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain text": "plain text", "a\r\nb": "a??b", `a"b\c`: "a?b?c", "ü\u2028": "??", "\x00\x7f": "??", "": "",
	} {
		if got := oauth.Printable(in); got != want {
			t.Errorf("%q: %q, wanted %q", in, got, want)
		}
	}
	if got := oauth.Printable(strings.Repeat("x", 1000)); len(got) > 203 || !strings.HasSuffix(got, "...") {
		t.Errorf("a long text has %d bytes", len(got))
	}
}
