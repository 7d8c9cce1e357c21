package trust

import (
	"iter"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	uniA      = "https://idp.a.example/saml"
	uniB      = "https://idp.b.example/saml"
	authority = "https://registry.example/"
	research  = "http://refeds.org/category/research-and-scholarship"
)

// roll is a Directory of a few members.
type roll []*Member

func (r roll) ByID(id string) (*Member, bool) {
	return r.find(func(m *Member) bool { return m.ID == id })
}
func (r roll) ByIssuer(entityID string) (*Member, bool) {
	return r.find(func(m *Member) bool { return m.EntityID == entityID })
}
func (r roll) All() iter.Seq[*Member] { return slices.Values(r) }

func (r roll) find(f func(*Member) bool) (*Member, bool) {
	at := slices.IndexFunc(r, f)
	if at < 0 {
		return nil, false
	}
	return r[at], true
}

func memberA() *Member {
	return &Member{
		ID: MemberID("edu", uniA), Federation: "edu", EntityID: uniA, Name: "University A", Keywords: []string{"Uni A"}, Logo: "https://a.example/logo.png",
		Scopes: []string{"a.example"}, Authority: authority, Attributes: map[string][]string{CategoryAttribute: {research}},
	}
}

func memberB() *Member {
	return &Member{ID: MemberID("edu", uniB), Federation: "edu", EntityID: uniB, Name: "University B", Hidden: true}
}

// federal is hmart with a federation whose people sign in to the portal and whose assertions are exchanged, each for A's like only.
func federal() Spec {
	s := hmart()
	setClient(&s, "portal", func(c *ClientSpec) {
		c.App = &AppSpec{RedirectURIs: []string{"https://portal.example/cb"}, FirstParty: true}
		c.Grants = append(c.Grants, "authorization_code", "saml2_bearer")
	})
	only := &MemberSpec{Categories: []string{research}}
	s.Federations = map[string]TrustSpec{"edu": {
		Name: "Education", SAML2: &AssertionSpec{}, Login: &LoginSpec{Protocol: ProtocolSAML},
		Grants: []GrantSpec{
			{Clients: []string{"portal"}, SignIn: true},
			{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}, Members: only},
		},
	}}
	return s
}

func withRoll(t *testing.T, s Spec, members ...*Member) *Registry {
	t.Helper()
	return compile(t, s).WithMembers(roll(members))
}

// fromMember asks for stock.read with an assertion of a member.
func fromMember(m *Member) Request {
	q := foreign()
	q.Grant = GrantTokenExchange
	q.Subject.Credential, q.Subject.Trust, q.Subject.Origin = CredentialSAML2, m.ID, m.ID
	q.Subject.Domain, q.Subject.Issuer = m.EntityID, m.EntityID
	q.Subject.Sub = DeriveSub(m.EntityID, "sub", "kim")
	return q
}

func TestMembersAreFoundWhileTheDirectoryKnowsThem(t *testing.T) {
	t.Parallel()
	a, b := memberA(), memberB()
	reg := withRoll(t, federal(), a, b)
	got, ok := reg.Trust(a.ID)
	if !ok || got.Spec.Issuer != uniA || got.Spec.Domain != uniA || got.Title() != "University A" || got.Spec.Login.Logo != a.Logo ||
		!slices.Equal(got.Spec.AttributeScopes, a.Scopes) || got.Spec.Login.Hidden {
		t.Errorf("by ID: %+v", got)
	}
	if list := reg.ByIssuer(uniB); len(list) != 1 || list[0].ID != b.ID || !list[0].Spec.Login.Hidden {
		t.Errorf("by issuer: %v", list)
	}
	if scopes := reg.ByIssuer(uniB)[0].Spec.AttributeScopes; scopes == nil || len(scopes) > 0 {
		t.Errorf("a member without scopes speaks for %v, not for nobody's", scopes)
	}
	if list := reg.Logins("portal"); len(list) != 2 || list[0].Spec.Login == nil {
		t.Errorf("logins: %v", list)
	}
	if list := reg.Logins("gateway"); len(list) != 0 {
		t.Errorf("logins of a client that nobody signs in to: %v", list)
	}
	fewer := reg.WithMembers(roll{b})
	if _, ok := fewer.Trust(a.ID); ok || len(fewer.ByIssuer(uniA)) > 0 || len(fewer.Logins("portal")) != 1 {
		t.Error("a member that left is still found")
	}
	if _, ok := compile(t, federal()).Trust(a.ID); ok {
		t.Error("a member is found without directory")
	}
	if _, ok := compile(t, hmart()).WithMembers(roll{a}).Trust(a.ID); ok {
		t.Error("a member of no federation of ours is found")
	}
}

func TestRulesOfAFederationMayBeAboutSomeOfItsMembers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		only    *MemberSpec
		granted bool
	}{
		"a category it has":                      {&MemberSpec{Categories: []string{"urn:x", research}}, true},
		"a category it has not":                  {&MemberSpec{Categories: []string{"urn:x"}}, false},
		"its registration authority":             {&MemberSpec{Authorities: []string{authority}}, true},
		"another registration authority":         {&MemberSpec{Authorities: []string{authority + "x"}}, false},
		"an attribute's value":                   {&MemberSpec{Attributes: map[string][]string{CategoryAttribute: {research}}}, true},
		"an attribute it has not":                {&MemberSpec{Attributes: map[string][]string{"urn:y": {research}}}, false},
		"its category, of another authority":     {&MemberSpec{Categories: []string{research}, Authorities: []string{"x"}}, false},
		"its category and its authority as well": {&MemberSpec{Categories: []string{research}, Authorities: []string{authority}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := federal()
			s.Federations["edu"].Grants[1].Members = tc.only
			a := memberA()
			reg := withRoll(t, s, a)
			d := reg.Evaluate(fromMember(a), live)
			if d.Granted != tc.granted || reg.Admits(a.ID, "portal") != tc.granted {
				t.Errorf("granted %v, admits %v: %s", d.Granted, reg.Admits(a.ID, "portal"), d.Detail)
			}
			if d.Granted && (d.Trust != a.ID || d.Rules[0] != "edu.grant[1]") {
				t.Errorf("by %s %v", d.Trust, d.Rules)
			}
		})
	}
	b := memberB()
	b.Authority = ""
	s := federal()
	s.Federations["edu"].Grants[1].Members = &MemberSpec{Authorities: []string{authority}}
	if d := withRoll(t, s, b).Evaluate(fromMember(b), live); d.Granted {
		t.Error("a member that nobody registered was granted what those of an authority are")
	}
}

func TestAConfiguredTrustStandsForTheMember(t *testing.T) {
	t.Parallel()
	a := memberA()
	own := TrustSpec{Issuer: uniA, KeySource: "federation:edu", Federation: "edu", SAML2: &AssertionSpec{},
		Grants: []GrantSpec{{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}}}}
	s := federal()
	s.Trusts["uni-a"] = own
	reg := withRoll(t, s, a)
	if _, ok := reg.Trust(a.ID); ok {
		t.Error("the member is there beside the trust that refines it")
	}
	got, ok := reg.Trust("uni-a")
	if !ok || got.Title() != "University A" || !slices.Equal(got.Spec.AttributeScopes, a.Scopes) {
		t.Errorf("refined: %+v", got)
	}
	q := fromMember(a)
	q.Subject.Trust, q.Subject.Origin = "uni-a", "uni-a"
	if d := reg.Evaluate(q, live); !d.Granted || d.Sub != fromMember(a).Subject.Sub {
		t.Errorf("refining changed what is granted or to whom: %+v", d)
	}
	gone := reg.WithMembers(roll{})
	if got, _ := gone.Trust("uni-a"); got.Spec.AttributeScopes == nil {
		t.Error("without its entry the trust takes attributes of any scope")
	}
	own.Disabled = true
	s.Trusts["uni-a"] = own
	if list := withRoll(t, s, a).ByIssuer(uniA); len(list) > 0 {
		t.Error("a trust that is disabled leaves the member to the federation")
	}
}

func TestADisabledFederationHasNoMembers(t *testing.T) {
	t.Parallel()
	s := federal()
	f := s.Federations["edu"]
	f.Disabled = true
	s.Federations["edu"] = f
	a := memberA()
	reg := withRoll(t, s, a)
	if d := reg.Evaluate(fromMember(a), live); d.Granted || d.Reason != ReasonTrustNotLive {
		t.Errorf("decision: %+v", d)
	}
	if len(reg.Logins("portal"))+len(reg.Members())+len(reg.ByIssuer(uniA)) > 0 {
		t.Error("its members are listed")
	}
}

func TestFederationsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Spec)
		path   string
	}{
		"a rule of a trust about members": {func(s *Spec) {
			setRule(s, func(g *GrantSpec) { g.Members = &MemberSpec{Categories: []string{research}} })
		}, "trust.hq.grant[0].members"},
		"members by nothing": {func(s *Spec) { s.Federations["edu"].Grants[0].Members = &MemberSpec{} }, "federation.edu.grant[0].members"},
		"an attribute without values": {func(s *Spec) {
			s.Federations["edu"].Grants[0].Members = &MemberSpec{Attributes: map[string][]string{"x": {}}}
		}, "federation.edu.grant[0].members.attributes.x"},
		"a name of its own for a member's trust": {func(s *Spec) {
			s.Trusts[MemberID("edu", uniB)] = s.Trusts["hq"]
		}, `trust."` + MemberID("edu", uniB) + `"`},
		"the name of a trust":       {func(s *Spec) { s.Federations["hq"] = s.Federations["edu"] }, "federation.hq"},
		"a name that is too long":   {func(s *Spec) { s.Federations[strings.Repeat("e", 32)] = s.Federations["edu"] }, "federation." + strings.Repeat("e", 32)},
		"no use":                    {func(s *Spec) { s.Federations["edu"] = TrustSpec{} }, "federation.edu.exchange"},
		"a login by another way":    {func(s *Spec) { s.Federations["edu"].Login.Protocol = "x" }, "federation.edu.login.protocol"},
		"a refinement of no such":   {func(s *Spec) { setTrust(s, "hq", func(t *TrustSpec) { t.Federation = "none" }) }, "trust.hq.keys.federation"},
		"an application of no such": {func(s *Spec) { s.Clients["portal"].App.Trusts = []string{"edu", "none"} }, "client.portal.trusts[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := federal()
			if _, problems := Compile(s); len(problems) > 0 {
				t.Fatalf("the twin: %+v", problems)
			}
			tc.change(&s)
			_, problems := Compile(s)
			if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Path == tc.path && p.Remedy != "" }) {
				t.Errorf("expected a problem at %s, got %+v", tc.path, problems)
			}
		})
	}
}

func TestMemberIDsAreStable(t *testing.T) {
	t.Parallel()
	if got, want := MemberID("edu", uniA), "edu.98f583fc158cc3349a0c4e124461dc8d"; got != want || !idSyntax.MatchString(got) {
		t.Errorf("%s, not %s", got, want)
	}
	for id, want := range map[string]string{MemberID("edu", uniA): "edu", "edu.3f": "", "hq": "", strings.Repeat("a", 33): ""} {
		if got, _ := federationOf(id); got != want {
			t.Errorf("federation of %s: %q", id, got)
		}
	}
}

func TestPeopleOfAMemberSignIn(t *testing.T) {
	t.Parallel()
	a := memberA()
	s := federal()
	s.Federations["edu"].Grants[0].Members = &MemberSpec{Authorities: []string{authority}}
	q := fromMember(a)
	q.Grant, q.Scopes, q.Audiences = GrantCode, []string{"openid"}, nil
	q.Subject.Credential, q.Subject.SignedIn, q.Subject.AuthTime = CredentialLogin, true, noon.Add(-time.Minute)
	if d := withRoll(t, s, a).Evaluate(q, live); !d.Granted || !slices.Equal(d.Identity, []string{"openid"}) {
		t.Errorf("decision: %+v", d)
	}
	b := memberB()
	q.Subject.Trust, q.Subject.Origin = b.ID, b.ID
	reg := withRoll(t, s, a, b)
	if d := reg.Evaluate(q, live); d.Granted || d.Reason != ReasonSignIn {
		t.Errorf("of another authority: %+v", d)
	}
	if list := reg.Logins("portal"); len(list) != 1 {
		t.Errorf("the picker would show %v", list)
	}
}
