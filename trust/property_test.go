package trust

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	someScopes  = []string{"a", "b", "c"}
	someAPIs    = []string{"x", "y", "z"}
	someClients = []string{"k", "l", "m"}
	someTrusts  = []string{"t", "u"}
	someClaims  = map[string]any{"d": "1", "e": "2"}
)

// subset draws some of a list, most first.
func subset(t *rapid.T, name string, list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(string) bool { return coin(t, name, 4) })
}

// coin is true about one time in oneIn. It is made of bools, as rapid draws those without its bias to small numbers.
func coin(t *rapid.T, name string, oneIn int) bool {
	for range bits.Len(uint(oneIn - 1)) {
		if !rapid.Bool().Draw(t, name) {
			return false
		}
	}
	return true
}

func lifetime(t *rapid.T, name string) time.Duration {
	return time.Duration(rapid.SampledFrom([]int{0, 0, 60, 300, 3600}).Draw(t, name)) * time.Second
}

// drawSpec draws a small policy that compiles, with scopes that several APIs share.
func drawSpec(t *rapid.T) Spec {
	s := Spec{Issuer: "https://id.example", APIs: map[string]APISpec{}, Clients: map[string]ClientSpec{}, Trusts: map[string]TrustSpec{}}
	for _, id := range someAPIs {
		a := APISpec{Audience: "https://" + id, Resources: []string{"https://" + id + "/r"}, Scopes: map[string]string{}, Lifetime: lifetime(t, "api")}
		for _, scope := range append(subset(t, "defines", someScopes), id) {
			a.Scopes[scope] = "words"
		}
		a.Client = rapid.SampledFrom([]string{"k", "k", "k", "l", ""}).Draw(t, "owner")
		if coin(t, "other typ", 6) {
			a.Token.Typ = "JWT"
		}
		s.APIs[id] = a
	}
	for _, id := range someClients {
		c := ClientSpec{Disabled: coin(t, "client off", 12), APIs: map[string][]string{}, Lifetime: lifetime(t, "client")}
		for _, g := range grantsOfTokens {
			if g != GrantCode && g != GrantRefresh && !coin(t, "no grant", 16) {
				c.Grants = append(c.Grants, string(g))
			}
		}
		drawApp(t, &c)
		for api, a := range s.APIs {
			c.APIs[api] = slices.Sorted(maps.Keys(a.Scopes))
		}
		for _, api := range someAPIs {
			c.APIs[api] = subset(t, "registers", c.APIs[api])
		}
		s.Clients[id] = c
	}
	for _, id := range append([]string{Local}, someTrusts...) {
		tr := TrustSpec{Disabled: coin(t, "trust off", 12), Require: drawConditions(t, 16)}
		if id != Local {
			tr.Issuer, tr.KeySource, tr.JWT, tr.IDToken = "https://"+id, "discovery", &UseSpec{Audiences: []string{"i"}}, &UseSpec{Audiences: []string{"i"}}
			tr.Login = &LoginSpec{Protocol: "oidc", MaxClaimsAge: 10 * time.Minute}
			tr.Grants = drawSignIns(t, s, id)
		}
		for range rapid.SampledFrom([]int{5, 4, 6, 0}).Draw(t, "rules") {
			tr.Grants = append(tr.Grants, drawRule(t, s, id))
		}
		s.Trusts[id] = tr
	}
	return s
}

// drawApp makes most clients applications, some of them somebody else's or for people of one trust only.
func drawApp(t *rapid.T, c *ClientSpec) {
	if coin(t, "no application", 8) {
		return
	}
	c.App = &AppSpec{FirstParty: rapid.Bool().Draw(t, "first party"), RedirectURIs: []string{"https://app.example/"}}
	if coin(t, "lists trusts", 6) {
		c.App.Trusts = someTrusts[:1]
	}
	c.Grants = append(c.Grants, string(GrantCode))
	if !coin(t, "no refresh", 8) {
		c.Grants = append(c.Grants, string(GrantRefresh))
	}
}

// drawSignIns draws the sign-in rules of a trust, for applications that let its people in.
func drawSignIns(t *rapid.T, s Spec, trust string) []GrantSpec {
	var out []GrantSpec
	for range rapid.SampledFrom([]int{1, 2, 0}).Draw(t, "sign-in rules") {
		clients := slices.DeleteFunc(slices.Clone(someClients), func(id string) bool {
			return s.Clients[id].App == nil || !s.Clients[id].App.SignsIn(trust) || coin(t, "not named", 8)
		})
		if len(clients) == 0 {
			continue
		}
		g := GrantSpec{Clients: clients, SignIn: true, Lifetime: lifetime(t, "rule"), When: drawConditions(t, 8)}
		if coin(t, "maps", 4) {
			g.Claims = map[string]string{"team": rapid.SampledFrom([]string{"d", "e", "f"}).Draw(t, "from")}
		}
		out = append(out, g)
	}
	return out
}

func drawConditions(t *rapid.T, oneIn int) map[string]ConditionSpec {
	if !coin(t, "conditional", oneIn) {
		return nil
	}
	claim := rapid.SampledFrom([]string{"d", "e", "f"}).Draw(t, "claim")
	return map[string]ConditionSpec{claim: {Exact: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "want")}}
}

func drawRule(t *rapid.T, s Spec, trust string) GrantSpec {
	g := GrantSpec{API: rapid.SampledFrom(someAPIs).Draw(t, "api"), Lifetime: lifetime(t, "rule"), When: drawConditions(t, 4)}
	if g.Clients = subset(t, "names", someClients); len(g.Clients) == 0 || trust != Local && coin(t, "unauthenticated", 6) {
		g.Clients, g.Unauthenticated = nil, trust != Local
	}
	if trust == Local && len(g.Clients) == 0 {
		g.Clients = []string{"k"}
	}
	known := slices.Sorted(maps.Keys(s.APIs[g.API].Scopes))
	g.Scopes = append(subset(t, "scopes", known), g.API)
	g.Scopes = slices.Compact(slices.Sorted(slices.Values(g.Scopes)))
	g.DefaultScopes = nil
	if coin(t, "has defaults", 3) {
		g.DefaultScopes = subset(t, "defaults", g.Scopes)
	}
	if coin(t, "table", 3) && !namesOnlyForItself(s, g.Clients) {
		g.ScopeMap = map[string]string{}
		for _, ours := range g.Scopes {
			g.ScopeMap[rapid.SampledFrom([]string{"a", "b", "c", "x", "y"}).Draw(t, "theirs")] = ours
		}
		g.Scopes = nil
		ours := slices.Collect(maps.Values(g.ScopeMap))
		g.DefaultScopes = slices.DeleteFunc(g.DefaultScopes, func(d string) bool { return !slices.Contains(ours, d) })
	}
	if coin(t, "maps", 4) {
		g.Claims = map[string]string{"team": rapid.SampledFrom([]string{"d", "e", "f"}).Draw(t, "from")}
	}
	return g
}

func namesOnlyForItself(s Spec, clients []string) bool {
	return slices.ContainsFunc(clients, func(c string) bool {
		return slices.Equal(s.Clients[c].Grants, []string{string(GrantClientCredentials)})
	})
}

// drawAsk fills in what a client asks for.
func drawAsk(t *rapid.T, q *Request) {
	q.Now = noon
	q.Client = rapid.SampledFrom(someClients).Draw(t, "client")
	if coin(t, "odd client", 8) {
		q.Client = rapid.SampledFrom([]string{"", "stranger"}).Draw(t, "which")
	}
	for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "targets") {
		api := rapid.SampledFrom(someAPIs).Draw(t, "target")
		switch rapid.IntRange(0, 20).Draw(t, "by") {
		case 20:
			q.Audiences = append(q.Audiences, "nowhere")
		case 1, 2:
			q.Resources = append(q.Resources, "https://"+api+"/r")
		case 3, 4:
			q.Audiences = append(q.Audiences, "https://"+api)
		default:
			q.Audiences = append(q.Audiences, api)
		}
	}
	q.Scopes = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "x", "y", "z", "a", "b"}), 0, 3).Draw(t, "asks")
	if coin(t, "unknown scope", 20) {
		q.Scopes = append(q.Scopes, "unknown")
	}
}

func drawRequest(t *rapid.T) Request {
	var q Request
	drawAsk(t, &q)
	trust := rapid.SampledFrom(someTrusts).Draw(t, "trust")
	q.Grant = rapid.SampledFrom([]Grant{GrantTokenExchange, GrantJWTBearer}).Draw(t, "grant")
	q.Subject = Subject{
		Credential: rapid.SampledFrom([]CredentialType{CredentialJWT, CredentialIDToken}).Draw(t, "credential"),
		Trust:      trust, Origin: trust, Sub: DeriveSub("https://"+trust, "sub", "p"), Claims: someClaims,
		HasScopes: rapid.Bool().Draw(t, "has scopes"), Scopes: subset(t, "carries", someScopes),
		IssuedAt: noon.Add(-time.Minute), Expires: noon.Add(time.Duration(rapid.SampledFrom([]int{3600, 3600, 90, 0}).Draw(t, "left")) * time.Second),
	}
	if q.Client != "" && coin(t, "itself", 4) {
		q.Grant = GrantClientCredentials
		q.Subject = Subject{Credential: CredentialClient, Trust: Local, Origin: Local, Sub: ClientSub(q.Client)}
	}
	if q.Client != "" && coin(t, "signs in", 2) {
		signIn(t, &q)
	}
	return q
}

// signIn makes the request one of a person.
func signIn(t *rapid.T, q *Request) {
	q.Grant = rapid.SampledFrom([]Grant{GrantCode, GrantRefresh}).Draw(t, "grant")
	q.Scopes = append(q.Scopes, subset(t, "identity", []string{"openid", "email", "offline_access"})...)
	if coin(t, "no target", 2) {
		q.Audiences, q.Resources = nil, nil
	} else if coin(t, "the broker", 6) {
		q.Audiences = append(q.Audiences, UserInfo)
	}
	trust := rapid.SampledFrom(someTrusts).Draw(t, "trust")
	q.Subject = Subject{
		Credential: CredentialLogin, Trust: trust, Origin: trust, Sub: DeriveSub("https://"+trust, "sub", "p"), Claims: someClaims, SignedIn: true,
		IssuedAt: noon.Add(-time.Duration(rapid.SampledFrom([]int{1, 9, 11}).Draw(t, "age")) * time.Minute),
		Expires:  noon.Add(time.Duration(rapid.SampledFrom([]int{3600, 90}).Draw(t, "left")) * time.Second),
		AuthTime: noon.Add(-time.Hour), ACR: "mfa", Family: "f",
	}
}

func drawStanding(t *rapid.T) Standing {
	st := Standing{Loaded: !coin(t, "not loaded", 30), Blocked: coin(t, "blocked", 30), Revoked: coin(t, "revoked", 30)}
	if !coin(t, "no consent", 4) {
		st.Consented = map[string][]string{UserInfo: subset(t, "allows", []string{"email", "offline_access"})}
		for _, api := range someAPIs {
			st.Consented[api] = subset(t, "allows", append([]string{api}, someScopes...))
		}
	}
	if coin(t, "cutoff", 10) {
		st.NotBefore = noon.Add(time.Duration(rapid.IntRange(-120, 0).Draw(t, "cutoff at")) * time.Second)
	}
	return st
}

// next makes a request that exchanges what d was issued for, most often by somebody who may.
func next(t *rapid.T, s Spec, d Decision) Request {
	var q Request
	drawAsk(t, &q)
	if !coin(t, "any holder", 4) {
		q.Client = rapid.SampledFrom([]string{d.ClientID, s.APIs[d.APIs[0]].Client}).Draw(t, "holder")
	}
	if coin(t, "same target", 2) {
		q.Audiences, q.Resources = d.APIs, nil
	}
	if coin(t, "same scopes", 2) {
		q.Scopes = d.Scopes
	}
	q.Grant = GrantTokenExchange
	q.Subject = Subject{
		Credential: CredentialOwnToken, Trust: Local, Origin: d.Trust, Sub: d.Sub, Claims: someClaims, Scopes: d.Scopes, HasScopes: true,
		IssuedAt: noon, Expires: d.Expires, Audience: d.Audience, ClientID: d.ClientID, Links: d.Links,
		SignedIn: d.Family != "", AuthTime: d.AuthTime, ACR: d.ACR, Family: d.Family,
	}
	return q
}

func mustCompile(t *rapid.T, s Spec) *Registry {
	r, problems := Compile(s)
	if len(problems) > 0 {
		t.Fatalf("the drawn policy does not compile: %+v", problems)
	}
	return r
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, v := range list {
		out[v] = true
	}
	return out
}

func sets(m map[string][]string) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for k, list := range m {
		out[k] = set(list)
	}
	return out
}

// agree compares a decision with the naive one.
func agree(t *rapid.T, s Spec, q Request, st Standing, d Decision) {
	want, faults := naiveDecide(s, q, st)
	if d.Granted != (len(faults) == 0) || !d.Granted && !faults[d.Reason] {
		t.Fatalf("granted %v, reason %q: %s; naive faults: %v\n%+v", d.Granted, d.Reason, d.Detail, faults, q)
	}
	if !d.Granted {
		return
	}
	got := naiveGrant{set(d.Scopes), set(d.APIs), set(d.Rules), d.Expires, d.Claims, set(d.Identity), d.IdentityClaims, sets(d.Unconsented)}
	if got.claims == nil {
		got.claims = map[string]any{}
	}
	if got.identityClaims == nil {
		got.identityClaims = map[string]any{}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(naiveGrant{})); diff != "" {
		t.Fatalf("decision (-naive +got):\n%s", diff)
	}
}

// invariants are true of every grant, whatever the policy.
func invariants(t *rapid.T, s Spec, q Request, d Decision) {
	asked := q.Scopes
	if q.Subject.Credential == CredentialLogin {
		asked = slices.DeleteFunc(slices.Clone(q.Scopes), isIdentity) // beside them an API's defaults count
	}
	for _, scope := range d.Scopes {
		if len(asked) > 0 && !slices.Contains(q.Scopes, scope) {
			t.Fatalf("%s was not requested: %v", scope, q.Scopes)
		}
		if isIdentity(scope) {
			continue // signInInvariants
		}
		for _, api := range d.APIs {
			if s.APIs[api].Scopes[scope] != "" && q.Client != "" && !slices.Contains(s.Clients[q.Client].APIs[api], scope) {
				t.Fatalf("%s is outside the registration for %s", scope, api)
			}
		}
		if !slices.ContainsFunc(d.APIs, func(api string) bool { return s.APIs[api].Scopes[scope] != "" }) {
			t.Fatalf("no API of the token defines %s", scope)
		}
	}
	if !slices.IsSorted(d.Scopes) || len(set(d.Scopes)) != len(d.Scopes) || len(d.Audience) != len(d.APIs) || len(d.APIs) == 0 || len(d.Rules) == 0 {
		t.Fatalf("malformed: %+v", d)
	}
	if e := q.Subject.Expires; !e.IsZero() && d.Expires.After(e) || !d.Expires.After(q.Now) {
		t.Fatalf("expires %v, the credential %v", d.Expires, e)
	}
	if d.Sub != q.Subject.Sub || d.Trust != q.Subject.Origin || d.Links > MaxLinks {
		t.Fatalf("identity or chain changed: %+v", d)
	}
}

// signInInvariants are true of every grant to a person, whatever the policy.
func signInInvariants(t *rapid.T, s Spec, q Request, st Standing, d Decision) {
	app := s.Clients[q.Client].App
	if q.Subject.Credential == CredentialLogin {
		switch {
		case app == nil || len(app.Trusts) > 0 && !slices.Contains(app.Trusts, d.Trust):
			t.Fatalf("%s does not let people of %s in", q.Client, d.Trust)
		case !slices.ContainsFunc(s.Trusts[d.Trust].Grants, func(g GrantSpec) bool { return g.SignIn && slices.Contains(g.Clients, q.Client) }):
			t.Fatalf("no sign-in rule of %s names %s", d.Trust, q.Client)
		case d.Links != 0:
			t.Fatalf("a sign-in with links: %+v", d)
		case slices.Contains(d.APIs, UserInfo) && (len(d.APIs) != 1 || !slices.Equal(d.Scopes, d.Identity)):
			t.Fatalf("the broker itself beside others: %+v", d)
		}
	} else if len(d.Identity)+len(d.IdentityClaims) > 0 || slices.Contains(d.APIs, UserInfo) {
		t.Fatalf("identity without a sign-in: %+v", d)
	}
	if slices.Contains(d.Identity, "offline_access") && !slices.Contains(s.Clients[q.Client].Grants, string(GrantRefresh)) {
		t.Fatalf("access while away for a client that cannot refresh: %+v", d)
	}
	for _, scope := range d.Identity {
		if !slices.Contains(q.Scopes, scope) || !isIdentity(scope) {
			t.Fatalf("%s was not asked for", scope)
		}
	}
	if app == nil || app.FirstParty || !q.Subject.SignedIn {
		if d.Unconsented != nil {
			t.Fatalf("nobody is to be asked: %+v", d)
		}
		return
	}
	for _, scope := range d.Identity {
		if scope != "openid" && !slices.Contains(st.Consented[UserInfo], scope) {
			t.Fatalf("%s without consent", scope)
		}
	}
	for _, api := range d.APIs {
		for _, scope := range d.Scopes {
			if s.APIs[api].Scopes[scope] != "" && !slices.Contains(st.Consented[api], scope) {
				t.Fatalf("%s of %s without consent", scope, api)
			}
		}
	}
}

// emptyHanded is true of every refusal.
func emptyHanded(t *rapid.T, d Decision) {
	want := Decision{Reason: d.Reason, Detail: d.Detail, Trust: d.Trust, Sub: d.Sub, ClientID: d.ClientID}
	if diff := cmp.Diff(want, d); diff != "" || d.Reason == "" {
		t.Fatalf("a refusal carries something (-want +got):\n%s", diff)
	}
}

// always are the refusals that no policy lifts.
func always(t *rapid.T, r *Registry, s Spec, q Request, st Standing) {
	for name, change := range map[string]func(*Spec, *Standing){
		"standing":        func(_ *Spec, st *Standing) { *st = Standing{} },
		"blocked":         func(_ *Spec, st *Standing) { st.Blocked = true },
		"revoked":         func(_ *Spec, st *Standing) { st.Revoked = true },
		"origin disabled": func(s *Spec, _ *Standing) { disable(s, q.Subject.Origin) },
		"trust disabled":  func(s *Spec, _ *Standing) { disable(s, q.Subject.Trust) },
	} {
		changed, standing := s, st
		changed.Trusts = maps.Clone(s.Trusts)
		change(&changed, &standing)
		reg := r
		if standing.Loaded && !standing.Blocked && !standing.Revoked {
			reg = mustCompile(t, changed)
		}
		d := reg.Evaluate(q, standing)
		if d.Granted {
			t.Fatalf("%s: granted all the same", name)
		}
		emptyHanded(t, d)
	}
}

func disable(s *Spec, id string) { setTrust(s, id, func(t *TrustSpec) { t.Disabled = true }) }

func TestPropertyEvaluateAgreesWithANaiveReading(t *testing.T) {
	t.Parallel()
	granted, signedIn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpec(t)
		r := mustCompile(t, s)
		for range 8 {
			q, st := drawRequest(t), drawStanding(t)
			d := r.Evaluate(q, st)
			agree(t, s, q, st, d)
			if !d.Granted {
				emptyHanded(t, d)
				continue
			}
			granted++
			if q.Subject.SignedIn {
				signedIn++
			}
			invariants(t, s, q, d)
			signInInvariants(t, s, q, st, d)
			always(t, r, s, q, st)
		}
	})
	if granted < 10 || signedIn < 10 {
		t.Errorf("%d of the drawn requests were granted, %d of them to people: the property holds of next to nothing", granted, signedIn)
	}
	t.Logf("granted: %d, to people: %d", granted, signedIn)
}

func TestPropertyChainsOnlyShrink(t *testing.T) {
	t.Parallel()
	longest := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpec(t)
		r := mustCompile(t, s)
		d := firstGrant(t, r)
		for i := 0; d.Granted && i < 20; i++ {
			q, st := next(t, s, d), drawStanding(t)
			after := r.Evaluate(q, st)
			agree(t, s, q, st, after)
			if !after.Granted {
				continue
			}
			invariants(t, s, q, after)
			signInInvariants(t, s, q, st, after)
			if after.Family != d.Family || after.ACR != d.ACR || !after.AuthTime.Equal(d.AuthTime) {
				t.Fatalf("the chain lost what began it: %+v, then %+v", d, after)
			}
			if after.Links != d.Links+1 {
				t.Fatalf("links went from %d to %d", d.Links, after.Links)
			}
			for _, scope := range after.Scopes {
				if !explained(s, d.Scopes, scope) {
					t.Fatalf("%s came from nowhere: the token had %v", scope, d.Scopes)
				}
			}
			d, longest = after, max(longest, after.Links)
		}
	})
	t.Logf("longest chain: %d", longest)
	if longest < 2 {
		t.Errorf("the longest chain drawn has %d links", longest)
	}
}

// firstGrant draws requests until one is granted, or gives up.
func firstGrant(t *rapid.T, r *Registry) (d Decision) {
	for i := 0; !d.Granted && i < 20; i++ {
		d = r.Evaluate(drawRequest(t), live)
	}
	return d
}

// explained says whether a scope was there before or is mapped from one that was.
func explained(s Spec, before []string, scope string) bool {
	return slices.Contains(before, scope) || slices.ContainsFunc(s.Trusts[Local].Grants, func(g GrantSpec) bool {
		return slices.ContainsFunc(before, func(theirs string) bool { return g.ScopeMap[theirs] == scope })
	})
}

func TestPropertyAnotherRuleOnlyAddsScopesAndOnlyShortens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, q := drawSpec(t), drawRequest(t)
		q.Audiences, q.Resources = []string{rapid.SampledFrom(someAPIs).Draw(t, "one target")}, nil
		q.Scopes = append(q.Scopes, q.Audiences[0])
		before := mustCompile(t, s).Evaluate(q, live)
		more := drawRule(t, s, q.Subject.Trust)
		more.Claims = nil
		addRule(&s, q.Subject.Trust, more)
		after := mustCompile(t, s).Evaluate(q, live)
		if !before.Granted {
			return
		}
		if !after.Granted {
			t.Fatalf("another rule took a grant away: %s", after.Detail)
		}
		for _, scope := range before.Scopes {
			if !slices.Contains(after.Scopes, scope) {
				t.Fatalf("another rule took %s away", scope)
			}
		}
		if after.Expires.After(before.Expires) {
			t.Fatalf("another rule made the token longer: %v, then %v", before.Expires, after.Expires)
		}
	})
}

func TestPropertyCompileNeverPanicsAndExplainsItself(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"", "a", "*", "local", "userinfo", "x y", "https://a", "https://a/", "http://a", "/a~", "(", "\x00", "é", "k"})
	words := rapid.SliceOfN(word, 0, 3)
	table := rapid.MapOfN(word, word, 0, 3)
	condition := rapid.Custom(func(t *rapid.T) ConditionSpec {
		return ConditionSpec{Prefix: word.Draw(t, "prefix"), Regex: word.Draw(t, "regex"), OneOf: []any{word.Draw(t, "one"), nil}[:rapid.IntRange(0, 2).Draw(t, "n")]}
	})
	rapid.Check(t, func(t *rapid.T) {
		id := func(name string) string { return word.Draw(t, name) }
		s := Spec{Issuer: id("issuer"), Dev: rapid.Bool().Draw(t, "dev")}
		s.APIs = map[string]APISpec{id("api"): {Audience: id("aud"), Resources: words.Draw(t, "res"), Client: id("owner"), Scopes: table.Draw(t, "scopes")}}
		s.Clients = map[string]ClientSpec{id("client"): {Grants: words.Draw(t, "grants"), APIs: map[string][]string{id("of"): words.Draw(t, "reg")}}}
		s.Trusts = map[string]TrustSpec{id("trust"): {
			Issuer: id("iss"), Subject: id("sub"), KeySource: id("keys"), JWT: &UseSpec{Audiences: words.Draw(t, "auds"), Types: words.Draw(t, "types")},
			Require: rapid.MapOfN(word, condition, 0, 2).Draw(t, "require"),
			Grants: []GrantSpec{{
				Clients: words.Draw(t, "names"), API: id("to"), Scopes: words.Draw(t, "list"), ScopeMap: table.Draw(t, "map"),
				DefaultScopes: words.Draw(t, "default"), Claims: table.Draw(t, "claims"), Lifetime: time.Duration(rapid.Int64().Draw(t, "lifetime")),
			}},
		}}
		r, problems := Compile(s)
		if (r == nil) != (len(problems) > 0) {
			t.Fatalf("a Registry and problems, or neither: %+v", problems)
		}
		for _, p := range problems {
			if p.Path == "" || p.Text == "" || p.Remedy == "" {
				t.Fatalf("incomplete: %+v", p)
			}
		}
		if again := fmt.Sprint(problems); len(problems) > 0 {
			if _, p := Compile(s); fmt.Sprint(p) != again {
				t.Fatalf("another order: %v", p)
			}
		}
	})
}
