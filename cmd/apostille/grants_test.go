package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream/fake"
)

// grantEntry is one grant with one kind of credential.
type grantEntry struct {
	grant      string // grant_type
	name       string
	credential string // form parameter that carries it; "" = the client is the credential
	trust      string // whose [trust.ID] decides
	client     string
	form       func(t testing.TB, a *arena) url.Values
	subject    string // our sub
}

// grantTable has a row for each grant that the endpoint takes and each kind of credential it takes; a test compares it with
// what is mounted.
func grantTable(a *arena) []grantEntry {
	office := trust.DeriveSub(a.office.Issuer(), "sub", "svc-1")
	exchange := func(name, kind, entry string) grantEntry {
		return grantEntry{oauth.GrantTypeTokenExchange, name, "subject_token", "office", "portal", func(t testing.TB, a *arena) url.Values {
			return exchangeForm(a.goodToken(t, entry), kind)
		}, office}
	}
	own := grantEntry{oauth.GrantTypeTokenExchange, "own token", "subject_token", "local", "gateway", func(t testing.TB, a *arena) url.Values {
		form := exchangeForm(a.goodToken(t, atOwn), "access_token")
		form.Set("audience", "inventory")
		form.Set("scope", "items.read")
		return form
	}, office}
	opaque := own
	opaque.name, opaque.form = "own opaque token", func(t testing.TB, a *arena) url.Values {
		return with(own.form(t, a), "subject_token", a.opaque(t, a.goodToken(t, atOwn)))
	}
	return []grantEntry{
		exchange("jwt", "jwt", atJWT),
		exchange("access_token", "access_token", atAccessToken),
		exchange("id_token", "id_token", atIDToken),
		own,
		opaque,
		{oauth.GrantTypeTokenExchange, "without client authentication", "subject_token", "cloud", "", func(t testing.TB, a *arena) url.Values {
			return exchangeForm(a.goodToken(t, atCloud), "jwt")
		}, trust.DeriveSub(a.cloud.Issuer(), "sub", "svc-1")},
		{oauth.GrantTypeJWTBearer, "assertion", "assertion", "office", "portal", func(t testing.TB, a *arena) url.Values {
			return bearerForm(a.goodToken(t, atBearer))
		}, office},
		{oauth.GrantTypeTokenExchange, "saml2", "subject_token", "campus", "portal", func(_ testing.TB, a *arena) url.Values {
			return exchangeForm(fake.Encode(a.idp.Assertion(goodAssertion())), "saml2")
		}, campusSub},
		{oauth.GrantTypeSAML2Bearer, "saml2 assertion", "assertion", "campus", "portal", func(_ testing.TB, a *arena) url.Values {
			return samlForm(fake.Encode(a.idp.Assertion(goodAssertion())))
		}, campusSub},
		{oauth.GrantTypeClientCredentials, "the client itself", "", "local", "portal", func(testing.TB, *arena) url.Values { return ownForm() }, "client:portal"},
		{oauth.GrantTypeCode, "code", "code", "office", "portal", func(t testing.TB, a *arena) url.Values {
			return codeForm(a.signIn(t, a.browser(), "alice"))
		}, a.aliceSub()},
		{oauth.GrantTypeRefresh, "refresh token", "refresh_token", "office", "portal", func(t testing.TB, a *arena) url.Values {
			return refreshForm(a.refreshToken(t))
		}, a.aliceSub()},
	}
}

// signedIn says whether the credential began with a sign-in here.
func signedIn(e grantEntry) bool {
	return e.grant == oauth.GrantTypeCode || e.grant == oauth.GrantTypeRefresh
}

// or takes one value for credentials that began with a sign-in, and another for the rest.
func or[T any](signed T, other func(grantEntry) T) func(grantEntry) T {
	return func(e grantEntry) T {
		if signedIn(e) {
			return signed
		}
		return other(e)
	}
}

func (a *arena) goodToken(t testing.TB, entry string) string {
	t.Helper()
	return a.good(a.entry(entry)).token(t)
}

// opaque makes a handle for what one of our own tokens says.
func (a *arena) opaque(t testing.TB, raw string) string {
	t.Helper()
	payload, err := b64.DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	handle := mint.NewSecret()
	o := store.Opaque{Hash: sha256.Sum256([]byte(handle)), Claims: payload, Until: time.Now().Add(time.Minute)}
	if err := a.server.store.PutOpaque(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return handle
}

// condition is something that every grant has to look at. It changes the broker (TOML, store) or the request.
type condition struct {
	id, name string
	applies  func(e grantEntry) bool
	toml     func(e grantEntry) []string // edits of the configuration
	mark     func(e grantEntry) *store.SubjectMark
	request  func(e grantEntry, form url.Values) url.Values
	header   func(e grantEntry) http.Header
	reason   func(e grantEntry) trust.Reason
	error    func(e grantEntry) string // OAuth error code
}

// badSubject is how each grant spells a bad or unacceptable credential.
func badSubject(e grantEntry) string {
	if e.grant == oauth.GrantTypeTokenExchange {
		return "invalid_request" // RFC 8693 §2.2.2
	}
	return "invalid_grant" // RFC 7523 §3.1, RFC 7522 §3.1
}

func always[T any](v T) func(grantEntry) T { return func(grantEntry) T { return v } }

func foreignEntry(e grantEntry) bool   { return e.trust != "local" }
func ownToken(e grantEntry) bool       { return e.trust == "local" && e.credential != "" }
func carriesToken(e grantEntry) bool   { return e.credential != "" }
func authenticated(e grantEntry) bool  { return e.client != "" }
func declaresType(e grantEntry) bool   { return e.grant == oauth.GrantTypeTokenExchange }
func everyEntry(grantEntry) bool       { return true }
func oneSecondPast() time.Time         { return time.Now().Add(time.Minute) }
func clientTable(client string) string { return "[client." + client + "]\n" }
func trustTable(id string) string      { return "[trust." + id + "]\n" }

func grantConditions() []condition {
	edit := func(change func(form url.Values, name string) url.Values) func(e grantEntry, form url.Values) url.Values {
		return func(e grantEntry, form url.Values) url.Values { return change(form, e.credential) }
	}
	return []condition{
		{id: "A69", name: "the trust is disabled", applies: foreignEntry,
			toml: func(e grantEntry) []string {
				return []string{trustTable(e.trust), trustTable(e.trust) + "disabled = true\n"}
			},
			reason: or(trust.ReasonTrustNotLive, always(trust.ReasonIssuerUnknown)), error: badSubject},
		{id: "A69", name: "the trust that our own token came through is disabled", applies: ownToken,
			toml:   always([]string{trustTable("office"), trustTable("office") + "disabled = true\n"}),
			reason: always(trust.ReasonTrustNotLive), error: badSubject},
		{id: "A69", name: "the client is disabled", applies: authenticated,
			toml: func(e grantEntry) []string {
				return []string{clientTable(e.client), clientTable(e.client) + "disabled = true\n"}
			},
			reason: always(trust.ReasonClientAuth), error: always("invalid_client")},
		{id: "A76", name: "no rule names the client", applies: authenticated,
			header: always(http.Header{"Authorization": {basicHeader("stranger")}}),
			reason: or(trust.ReasonGrantNotAllowed, func(e grantEntry) trust.Reason {
				if ownToken(e) {
					return trust.ReasonNotHolder
				}
				return trust.ReasonNoRule
			}),
			error: or("unauthorized_client", func(e grantEntry) string {
				if ownToken(e) {
					return "invalid_request"
				}
				return "invalid_target"
			})},
		{id: "A76", name: "the client's registration lacks the grant", applies: authenticated,
			header: always(http.Header{"Authorization": {basicHeader("idle")}}),
			reason: always(trust.ReasonGrantNotAllowed), error: always("unauthorized_client")},
		{id: "A77", name: "the credential is missing", applies: carriesToken,
			request: edit(func(f url.Values, name string) url.Values { return with(f, name) }),
			reason:  always(trust.ReasonRequest), error: always("invalid_request")},
		{id: "A77", name: "the credential is empty", applies: carriesToken,
			request: edit(func(f url.Values, name string) url.Values { return with(f, name, "") }),
			reason:  always(trust.ReasonRequest), error: always("invalid_request")},
		{id: "A77", name: "the credential comes twice", applies: carriesToken,
			request: edit(func(f url.Values, name string) url.Values { return with(f, name, f.Get(name), f.Get(name)) }),
			reason:  always(trust.ReasonRequest), error: always("invalid_request")},
		{id: "A77", name: "the credential is broken", applies: carriesToken,
			request: edit(func(f url.Values, name string) url.Values { return with(f, name, "broken") }),
			reason: func(e grantEntry) trust.Reason {
				switch e.grant {
				case oauth.GrantTypeCode:
					return trust.ReasonCode
				case oauth.GrantTypeRefresh:
					return trust.ReasonRefresh
				}
				return trust.ReasonMalformed
			}, error: badSubject},
		{id: "A77", name: "the credential of another grant stands beside it", applies: everyEntry,
			request: func(e grantEntry, f url.Values) url.Values {
				if e.credential == "code" {
					return with(f, "assertion", "x")
				}
				return with(f, "code", "x")
			},
			reason: always(trust.ReasonRequest), error: always("invalid_request")},
		{id: "A77", name: "a parameter that is defined and not built", applies: everyEntry,
			request: func(e grantEntry, f url.Values) url.Values { return with(f, "authorization_details", "[]") },
			reason:  always(trust.ReasonUnsupportedParam), error: always("invalid_authorization_details")},
		{id: "A78", name: "the declared type is not what it is", applies: declaresType,
			request: func(e grantEntry, f url.Values) url.Values {
				if e.name == "id_token" {
					return with(f, "subject_token_type", oauth.TokenTypeJWT)
				}
				return with(f, "subject_token_type", oauth.TokenTypeIDToken)
			},
			reason: func(e grantEntry) trust.Reason {
				switch e.name {
				case "own opaque token", "saml2": // whoever calls it so does not mean a token of ours; XML is no JWT at all
					return trust.ReasonMalformed
				case "own token", "without client authentication": // the cloud's trust takes no ID tokens at all
					return trust.ReasonType
				}
				return trust.ReasonAudience
			}, error: badSubject},
		{id: "A78", name: "the declared type is not built", applies: declaresType,
			request: func(e grantEntry, f url.Values) url.Values {
				return with(f, "subject_token_type", oauth.TokenTypeSAML1)
			},
			reason: always(trust.ReasonUnsupportedType), error: always("invalid_request")},
		{id: "A79", name: "the credential is older than the subject's cut-off", applies: carriesToken,
			mark: func(e grantEntry) *store.SubjectMark {
				return &store.SubjectMark{Sub: e.subject, NotBefore: oneSecondPast()}
			},
			reason: always(trust.ReasonNotBefore), error: badSubject},
		{id: "A80", name: "the subject is blocked", applies: everyEntry,
			mark:   func(e grantEntry) *store.SubjectMark { return &store.SubjectMark{Sub: e.subject, Blocked: true} },
			reason: always(trust.ReasonSubjectBlocked), error: badSubject},
		{id: "A81", name: "the trust's requirement does not hold", applies: foreignEntry,
			toml:   always([]string{`["logistics"]`, `["sales"]`}),
			reason: always(trust.ReasonRequire), error: badSubject},
	}
}

// TestEveryGrantLooksAtEveryCondition: one case per grant, kind of credential and condition; its twin is the same request to
// the same broker without the condition.
func TestEveryGrantLooksAtEveryCondition(t *testing.T) {
	t.Parallel()
	for _, c := range grantConditions() {
		t.Run(c.id+"_"+c.name, func(t *testing.T) {
			t.Parallel()
			plain := newArena(t)
			for _, e := range grantTable(plain) {
				if !c.applies(e) {
					continue
				}
				t.Run(e.name, func(t *testing.T) { c.run(t, e) })
			}
		})
	}
}

func (c *condition) run(t *testing.T, row grantEntry) {
	a := newArena(t)
	e := grantTable(a)[slices.IndexFunc(grantTable(a), func(x grantEntry) bool { return x.name == row.name })]
	a.warm(t)
	if out := a.ask(t, e.client, e.form(t, a), nil); out.Status != http.StatusOK || out.Token.AccessToken == "" || len(out.Audit) != 1 {
		t.Fatalf("the twin was refused: %d %s, %d records", out.Status, out.Body, len(out.Audit))
	}
	form, header := e.form(t, a), http.Header(nil) // before the change: it was good when it was issued
	if c.toml != nil {
		a.configure(t, c.toml(e)...)
		a.reload(t)
	}
	if c.mark != nil {
		if err := a.server.store.SetSubject(t.Context(), *c.mark(e)); err != nil {
			t.Fatal(err)
		}
	}
	if c.request != nil {
		form = c.request(e, form)
	}
	if c.header != nil {
		header = c.header(e)
	}
	out := a.ask(t, e.client, form, header)
	want := c.reason(e)
	if out.Status < 400 || out.Status >= 500 || out.Error != c.error(e) || out.Token.AccessToken != "" {
		t.Errorf("status %d, error %q, wanted %q: %s", out.Status, out.Error, c.error(e), out.Body)
	}
	if len(out.Audit) != 1 || out.Audit[0].Reason != string(want) || out.Audit[0].IssuedID != "" || out.Audit[0].Event != audit.EventRefused {
		t.Errorf("records %+v, wanted one refusal with %q", out.Audit, want)
	}
	if out.StoreWrites != 0 || out.Dials != 0 {
		t.Errorf("%d writes, %d dials", out.StoreWrites, out.Dials)
	}
}

// TestTheGrantTableIsComplete fails when a grant is mounted, or announced, that has no row above.
func TestTheGrantTableIsComplete(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	rows := map[string]bool{}
	for _, e := range grantTable(a) {
		rows[e.grant] = true
	}
	want := slices.Sorted(maps.Keys(rows))
	if got := slices.Sorted(slices.Values(a.metadata(t).Grants)); !slices.Equal(got, want) {
		t.Errorf("discovery announces %v, the table has %v", got, want)
	}
	var taken []string
	for _, name := range declaredGrantTypes(t) {
		if out := a.ask(t, "portal", url.Values{"grant_type": {name}}, nil); out.Error != oauth.CodeUnsupportedGrantType {
			taken = append(taken, name)
		}
	}
	if slices.Sort(taken); !slices.Equal(taken, want) {
		t.Errorf("the endpoint takes %v, the table has %v", taken, want)
	}
	if out := a.ask(t, "portal", url.Values{"grant_type": {"password"}}, nil); out.Error != oauth.CodeUnsupportedGrantType {
		t.Errorf("a grant nobody mounted is answered %q", out.Error)
	}
}

// declaredGrantTypes reads the constants GrantType… of broker/oauth from its source.
func declaredGrantTypes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "broker", "oauth", "names.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Names[0].Name) <= len("GrantType") || spec.Names[0].Name[:len("GrantType")] != "GrantType" {
			return true
		}
		name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
		return true
	})
	if len(out) < 3 {
		t.Fatalf("found %v only", out)
	}
	return out
}

// metadata is what discovery says.
type metadata struct {
	Issuer string
	Token  string   `json:"token_endpoint"`
	JWKS   string   `json:"jwks_uri"`
	Grants []string `json:"grant_types_supported"`
}

func (a *arena) metadata(t *testing.T) metadata {
	t.Helper()
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, ours+"/.well-known/oauth-authorization-server", nil))
	var m metadata
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return m
}

// A one-time token is used up by the grant that issues on it, at whichever entry, and by nothing else.
func TestA87_AOneTimeTokenIsUsedOnceAtAllEntriesTogether(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	one := func() string {
		claims := foreignClaims(a.once)
		claims["jti"] = rand.Text()
		return a.once.Mint(claims)
	}
	for _, c := range []struct {
		name          string
		first, second func(token string) url.Values
	}{
		{"twice exchanged", func(s string) url.Values { return exchangeForm(s, "jwt") }, func(s string) url.Values { return exchangeForm(s, "jwt") }},
		{"exchanged under another name", func(s string) url.Values { return exchangeForm(s, "jwt") }, func(s string) url.Values { return exchangeForm(s, "access_token") }},
		{"exchanged, then an assertion", func(s string) url.Values { return exchangeForm(s, "jwt") }, bearerForm},
		{"an assertion, then exchanged", bearerForm, func(s string) url.Values { return exchangeForm(s, "jwt") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := one()
			// A request that is refused by policy does not use the token up.
			if out := a.ask(t, "portal", with(c.first(token), "scope", "stock.order"), nil); out.Status == http.StatusOK || out.StoreWrites != 0 {
				t.Fatalf("status %d, %d writes", out.Status, out.StoreWrites)
			}
			if out := a.ask(t, "portal", c.first(token), nil); out.Status != http.StatusOK || out.StoreWrites != 1 {
				t.Fatalf("the first use: %d %s, %d writes", out.Status, out.Body, out.StoreWrites)
			}
			out := a.ask(t, "portal", c.second(token), nil)
			if out.Status != http.StatusBadRequest || len(out.Audit) != 1 || out.Audit[0].Reason != string(trust.ReasonReplayed) || out.StoreWrites != 0 {
				t.Errorf("the second use: %d %s, records %+v", out.Status, out.Body, out.Audit)
			}
		})
	}
	if out := a.ask(t, "portal", exchangeForm(a.once.Mint(map[string]any{"sub": "svc-1", "aud": ours, "jti": nil}), "jwt"), nil); out.Audit[0].Reason != string(trust.ReasonTokenID) {
		t.Errorf("a token without jti: %+v", out.Audit)
	}
}
