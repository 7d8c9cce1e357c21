package exchange

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
)

const (
	us   = "https://id.west.example"
	them = "https://idp.hq.example"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// heldKeys gives every trust one set, or an error.
type heldKeys struct {
	set *jose.Set
	err error
}

func (h heldKeys) Lookup(_ context.Context, _, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	if h.err != nil {
		return nil, 0, h.err
	}
	if found := h.set.Lookup(kid, alg); len(found) > 0 {
		return found, 1, nil
	}
	return nil, 0, keys.ErrUnknown
}

func (heldKeys) Version(string) uint64 { return 1 }

// explaining is an Explainer with a head office whose tokens it explains.
type explaining struct {
	Explainer
	hq   *fake.Provider
	reg  *trust.Registry
	keys *heldKeys
}

func newExplaining(t *testing.T) *explaining {
	t.Helper()
	now := func() time.Time { return epoch }
	x := &explaining{hq: fake.NewProvider(fake.Options{Issuer: them, Alg: "ES256", Now: now})}
	x.keys = &heldKeys{set: x.hq.KeySet()}
	grants := func(clients ...string) []trust.GrantSpec {
		return []trust.GrantSpec{{Clients: clients, API: "warehouse", Scopes: []string{"stock.read"},
			When: map[string]trust.ConditionSpec{"department": {Exact: "logistics"}}}}
	}
	client := func(grants ...string) trust.ClientSpec {
		return trust.ClientSpec{Grants: grants, APIs: map[string][]string{"warehouse": {"stock.read", "stock.order"}}}
	}
	off := client("token_exchange")
	off.Disabled = true
	reg, problems := trust.Compile(trust.Spec{
		Issuer: us,
		APIs: map[string]trust.APISpec{"warehouse": {Audience: "https://warehouse.example",
			Scopes: map[string]string{"stock.read": "read", "stock.order": "order"}}},
		Clients: map[string]trust.ClientSpec{
			"portal": client("token_exchange", "jwt_bearer"), "stranger": client("token_exchange"),
			"batch": client("client_credentials"), "off": off,
		},
		Trusts: map[string]trust.TrustSpec{
			"hq":        {Issuer: them, KeySource: "test", JWT: &trust.UseSpec{Audiences: []string{us}}, Grants: grants("portal")},
			trust.Local: {Grants: []trust.GrantSpec{{Clients: []string{"batch"}, API: "warehouse", Scopes: []string{"stock.read"}}}},
		},
	})
	if len(problems) > 0 {
		t.Fatalf("policy: %+v", problems)
	}
	x.reg = reg
	x.Explainer = Explainer{
		Verifier: &oidc.Verifier{Keys: x.keys, Now: now}, Now: now,
		Standing: func(string) trust.Standing { return trust.Standing{Loaded: true} },
	}
	return x
}

// asks explains an exchange of a token with these claims by a client.
func (x *explaining) asks(t *testing.T, client, scope string, claims map[string]any) Explanation {
	t.Helper()
	all := map[string]any{"sub": "s-1", "aud": us, "department": "logistics"}
	for name, v := range claims {
		all[name] = v
	}
	return x.Explain(t.Context(), x.reg, Query{Grant: trust.GrantTokenExchange, Client: client, Params: oauth.ParamsOf(
		"subject_token", x.hq.Mint(all), "subject_token_type", oauth.TokenTypeJWT, "scope", scope)})
}

func TestExplainGrants(t *testing.T) {
	t.Parallel()
	x := newExplaining(t)
	e := x.asks(t, "portal", "stock.read", nil)
	if e.Verdict != VerdictGranted || !e.SignatureChecked || e.Reason != "" || len(e.Remedies) > 0 {
		t.Errorf("%+v", e)
	}
	if !slices.Equal(e.Decision.Scopes, []string{"stock.read"}) || len(e.Decision.Steps) == 0 || e.Subject.Trust != "hq" {
		t.Errorf("decision %+v of %+v", e.Decision, e.Subject)
	}
}

func TestExplainSaysWhyAScopeIsDropped(t *testing.T) {
	t.Parallel()
	e := newExplaining(t).asks(t, "portal", "stock.read stock.order", nil)
	if e.Verdict != VerdictGranted || len(e.Remedies) != 1 || !strings.Contains(e.Remedies[0], "hq.grant[0] would give stock.order if it could") {
		t.Errorf("%s: %q", e.Verdict, e.Remedies)
	}
}

func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		client, scope string
		claims        map[string]any
		reason        trust.Reason
		failed        string // last check of VERIFY; "" = it passed
		remedy        string // among the remedies
	}{
		"a client nobody declared":      {"nobody", "", nil, trust.ReasonClientUnknown, "client", "apostille client new"},
		"a client that is disabled":     {"off", "", nil, trust.ReasonClientUnknown, "client", "enable it"},
		"a client without the grant":    {"batch", "", nil, trust.ReasonGrantNotAllowed, "client", "`grants`"},
		"a client that no rule names":   {"stranger", "", nil, trust.ReasonNoRule, "trust", "hq.grant[0] is for client portal"},
		"no client, and no rule for it": {"", "", nil, trust.ReasonClientRequired, "trust", "hq.grant[0] is for client portal"},
		"a token that has expired":      {"portal", "", map[string]any{"exp": epoch.Unix() - 3600}, trust.ReasonExpired, "times", "fresh token"},
		"a token for somebody else":     {"portal", "", map[string]any{"aud": "https://other.example"}, trust.ReasonAudience, "audience", "audience"},
		"a condition that fails":        {"portal", "", map[string]any{"department": "sales"}, trust.ReasonConditions, "", `department = "sales", want "logistics"`},
		"a scope that no rule gives":    {"portal", "stock.order", nil, trust.ReasonScopeEmpty, "", "hq.grant[0] would give stock.order"},
		"a scope that does not exist":   {"portal", "stock.eat", nil, trust.ReasonScopeUnknown, "", "that the API defines"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExplaining(t).asks(t, c.client, c.scope, c.claims)
			if e.Verdict != VerdictRefused || e.Reason != c.reason || e.Detail == "" || e.Decision.Granted {
				t.Fatalf("%s, %s: %s; want %s", e.Verdict, e.Reason, e.Detail, c.reason)
			}
			last := e.Checks[len(e.Checks)-1]
			if failed := c.failed != ""; failed == last.OK || failed && last.Name != c.failed {
				t.Errorf("the last check is %+v, want %q to fail", last, c.failed)
			}
			if !slices.ContainsFunc(e.Remedies, func(r string) bool { return strings.Contains(r, c.remedy) }) {
				t.Errorf("no remedy says %q: %q", c.remedy, e.Remedies)
			}
		})
	}
}

func TestExplainWithoutKeysNeverSaysGranted(t *testing.T) {
	t.Parallel()
	x := newExplaining(t)
	x.keys.err = fmt.Errorf("%w: offline", keys.ErrUnavailable)
	e := x.asks(t, "portal", "stock.read", nil)
	if e.Verdict != VerdictConditional || e.SignatureChecked || e.Unchecked == "" {
		t.Errorf("%+v", e)
	}
	e = x.asks(t, "portal", "stock.order", nil)
	if e.Verdict != VerdictRefused || e.Reason != trust.ReasonScopeEmpty || e.SignatureChecked {
		t.Errorf("refused whatever the signature: %+v", e)
	}
}

func TestExplainLeavesAnUnknownKeyOpenOnlyWhereTheServerCouldAsk(t *testing.T) {
	t.Parallel()
	x := newExplaining(t)
	x.keys.set = jose.NewSet()
	if e := x.asks(t, "portal", "", nil); e.Verdict != VerdictRefused || e.Reason != trust.ReasonKeyUnknown {
		t.Errorf("sure: %+v", e)
	}
	x.Unsure = func(r *Refusal) bool { return r.Reason == trust.ReasonKeyUnknown && r.Trust == "hq" }
	if e := x.asks(t, "portal", "", nil); e.Verdict != VerdictConditional {
		t.Errorf("unsure: %+v", e)
	}
}

func TestExplainOtherGrants(t *testing.T) {
	t.Parallel()
	x := newExplaining(t)
	assertion := x.hq.Mint(map[string]any{"sub": "s-1", "aud": us, "department": "logistics"})
	for name, q := range map[string]Query{
		"the client itself":    {Grant: trust.GrantClientCredentials, Client: "batch", Params: oauth.ParamsOf("scope", "stock.read")},
		"the JWT bearer grant": {Grant: trust.GrantJWTBearer, Client: "portal", Params: oauth.ParamsOf("assertion", assertion)},
	} {
		if e := x.Explain(t.Context(), x.reg, q); e.Verdict != VerdictGranted || !e.SignatureChecked {
			t.Errorf("%s: %+v", name, e)
		}
	}
	e := x.Explain(t.Context(), x.reg, Query{Grant: "password", Params: oauth.ParamsOf()})
	if e.Verdict != VerdictRefused || e.Reason != trust.ReasonUnsupportedGrant {
		t.Errorf("a grant that does not exist: %+v", e)
	}
}

func TestExplainDecidesAsTheEndpointDoes(t *testing.T) {
	t.Parallel()
	x := newExplaining(t)
	standing := trust.Standing{Loaded: true, Blocked: true}
	x.Standing = func(sub string) trust.Standing {
		if sub == trust.DeriveSub(them, "sub", "s-1") {
			return standing
		}
		return trust.Standing{}
	}
	if e := x.asks(t, "portal", "stock.read", nil); e.Reason != trust.ReasonSubjectBlocked {
		t.Errorf("a blocked subject: %+v", e)
	}
	standing.Blocked = false
	e := x.asks(t, "portal", "stock.read", nil)
	want := x.reg.Evaluate(trust.Request{Grant: trust.GrantTokenExchange, Subject: e.Subject, Client: "portal", Scopes: []string{"stock.read"}, Now: epoch}, standing)
	if !want.Granted || e.Decision.Expires != want.Expires || !slices.Equal(e.Decision.Rules, want.Rules) || !slices.Equal(e.Decision.Audience, want.Audience) {
		t.Errorf("explained %+v, decided %+v", e.Decision, want)
	}
}

func TestEveryReasonHasARemedy(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "trust", "reason.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	reasons := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		reasons++
		code := strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`)
		if Remedy(trust.Reason(code)) == "" {
			t.Errorf("%s (%s) has no remedy", spec.Names[0].Name, code)
		}
		return true
	})
	if reasons != len(remedyOf) {
		t.Errorf("%d reasons, %d remedies", reasons, len(remedyOf))
	}
}

// What is examined without a signature must never come near an endpoint.
func TestOnlyExplainExaminesUnverified(t *testing.T) {
	t.Parallel()
	allowed := []string{"exchange/explain.go", "upstream/oidc/unverified.go", "upstream/oidc/examination.go"}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		name := strings.TrimPrefix(filepath.ToSlash(path), "../")
		if strings.Contains(string(text), "ExamineUnverified") && !slices.Contains(allowed, name) {
			t.Errorf("%s names ExamineUnverified", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
