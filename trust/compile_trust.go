package trust

import (
	"fmt"
	"strings"
)

// trust compiles one `[trust.ID]` and its grant rules.
func (c *compiler) trust(id string, s TrustSpec) {
	path := "trust." + key(id)
	t := &Trust{ID: id, Spec: cloneTrust(s)}
	c.reg.trusts[id] = t

	if id == Local {
		c.local(path, s)
	} else {
		c.foreign(path, t)
	}
	c.policyOf(path, t)
}

// policyOf compiles conditions and grant rules.
func (c *compiler) policyOf(path string, t *Trust) {
	t.require = c.conditions(path+".require", t.Spec.Require)
	for i, g := range t.Spec.Grants {
		if g.SignIn {
			c.signInRule(t, i)
		} else {
			c.grantRule(t, i)
		}
	}
}

// local checks the built-in trust: it has rules and conditions, and nothing that describes an upstream.
func (c *compiler) local(path string, s TrustSpec) {
	for _, f := range []struct {
		key string
		set bool
	}{
		{"issuer", s.Issuer != ""}, {"domain", s.Domain != ""}, {"subject", s.Subject != ""},
		{"keys", s.KeySource != ""}, {"exchange.jwt", s.JWT != nil}, {"exchange.id_token", s.IDToken != nil},
		{"exchange.saml2", s.SAML2 != nil}, {"login", s.Login != nil},
	} {
		if f.set {
			c.fault(path+"."+f.key, "remove it, or declare a trust of another name",
				"%q is the built-in trust for our own tokens and clients: it takes no %s", Local, f.key)
		}
	}
}

// foreign checks a trust in an upstream and fills in the defaults.
func (c *compiler) foreign(path string, t *Trust) {
	if !idSyntax.MatchString(t.ID) {
		c.fault(path, "use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit", "%q is not a trust name", t.ID)
	}
	c.memberIDs(path, t.ID)
	c.refinement(path, t)
	c.reg.configured[t.Spec.Issuer] = true
	c.foreignIssuer(path+".issuer", &t.Spec)
	if !t.Spec.Disabled {
		c.reg.byIssuer[t.Spec.Issuer] = append(c.reg.byIssuer[t.Spec.Issuer], t)
	}
	if t.Spec.Domain == "" {
		t.Spec.Domain = t.Spec.Issuer
	}
	c.subject(path, t)
	if t.Spec.KeySource == "" {
		c.fault(path+".keys", "say where its keys come from, such as keys = { discovery = true }", "the trust has no keys")
	}
	if t.Spec.JWT == nil && t.Spec.IDToken == nil && t.Spec.SAML2 == nil && t.Spec.Login == nil {
		c.fault(path+".exchange", `say what it may be used for, such as jwt = { audiences = ["…"] }, or declare its login`,
			"the trust has no use: no kind of its tokens may be exchanged, and nobody signs in with it")
	}
	c.use(path+".exchange.jwt", t.Spec.JWT)
	c.use(path+".exchange.id_token", t.Spec.IDToken)
	c.assertions(path+".exchange.saml2", t.Spec.SAML2)
	c.names(path+".attribute_scopes", "list the domains that its scoped attributes end in, such as hq.hmart.example", t.Spec.AttributeScopes)
	if t.Spec.AttributeScopes != nil && !t.Spec.assertions() {
		c.fault(path+".attribute_scopes", "remove it", "scoped attributes are in assertions, and the trust takes none")
	}
	if t.Spec.Login != nil {
		c.login(path, t)
	}
}

// subject reads what names the subject.
func (c *compiler) subject(path string, t *Trust) {
	t.byNameID = t.Spec.Subject == ""
	if t.byNameID {
		t.Spec.Subject = "sub"
	}
	var err error
	if t.subject, err = parseClaimPath(t.Spec.Subject); err != nil {
		c.fault(path+".subject", "name a claim, or point to it as in /act/sub", "the subject %q cannot be used: %v", t.Spec.Subject, err)
	}
}

// foreignIssuer checks an upstream's issuer. It is compared byte for byte, so a trailing slash may well be right;
// RFC 7519 §4.1.1 also allows a plain name or a URN. An entityID is a name and nothing else, though it may look like an http URL
// (SAML Core 2.0 §8.3.6).
func (c *compiler) foreignIssuer(path string, t *TrustSpec) {
	const remedy = "copy the value of iss from one of its tokens"
	issuer, jwt := t.Issuer, t.JWT != nil || t.IDToken != nil
	err := nameFault(issuer)
	if err == nil && strings.Contains(issuer, "://") && (jwt || !t.assertions()) {
		err = issuerFault(issuer, c.spec.Dev)
	}
	switch {
	case issuer == "":
		c.fault(path, remedy, "the issuer is missing")
	case err != nil:
		c.fault(path, remedy, "the issuer %q cannot be used: %v", issuer, err)
	case issuer == c.spec.Issuer:
		c.fault(path, fmt.Sprintf("put rules for our own tokens under trust.%s", Local), "the issuer %q is our own", issuer)
	}
}

// use checks how one type of subject token may be used, and fills in the defaults.
func (c *compiler) use(path string, u *UseSpec) {
	if u == nil {
		return
	}
	const remedy = "list each value that the token's aud may have: our issuer, or a client id there"
	if len(u.Audiences) == 0 {
		c.fault(path+".audiences", remedy, "the use has no audiences: tokens made for anybody would be accepted")
	}
	c.names(path+".audiences", remedy, u.Audiences)
	c.names(path+".parties", "list each azp or client_id that may present tokens", u.Parties)
	for i, typ := range u.Types {
		if !typeSyntax.MatchString(typ) {
			c.fault(fmt.Sprintf("%s.types[%d]", path, i), `write it in lower case, without "application/", such as "at+jwt"`,
				"the type %q cannot be used", typ)
		}
	}
	c.duplicates(path+".types", u.Types)
	if err := durationFault(u.MaxAge); err != nil {
		c.fault(path+".max_age", durationRemedy, "the maximum age cannot be used: %v", err)
	}
	if u.MaxAge == 0 {
		u.MaxAge = DefaultMaxAge
	}
}

// names checks a list of identifiers that are compared byte for byte.
func (c *compiler) names(path, remedy string, list []string) {
	for i, name := range list {
		if err := nameFault(name); err != nil {
			c.fault(fmt.Sprintf("%s[%d]", path, i), remedy, "the value %q cannot be used: %v", name, err)
		}
	}
	c.duplicates(path, list)
}

// conditions compiles the conditions on a table of claim paths.
func (c *compiler) conditions(path string, specs map[string]ConditionSpec) []condition {
	out := make([]condition, 0, len(specs))
	for _, claim := range sortedKeys(specs) {
		compiled, errs := compileCondition(claim, specs[claim])
		for _, err := range errs {
			c.fault(path+"."+key(claim), "give the claim exactly one test: exact, one_of, none_of, prefix, suffix or regex",
				"the condition on %q cannot be used: %v", claim, err)
		}
		out = append(out, compiled)
	}
	return out
}

// overlaps refuses two trusts that could both take one token but would verify it with different keys.
func (c *compiler) overlaps() {
	type use struct{ issuer, name, audience string }
	first := map[use]*Trust{}
	for _, id := range sortedKeys(c.reg.trusts) {
		t := c.reg.trusts[id]
		for _, u := range t.uses() {
			for i, audience := range u.audiences {
				k := use{t.Spec.Issuer, u.name, audience}
				other, taken := first[k]
				if !taken {
					first[k] = t
				} else if other.Spec.KeySource != t.Spec.KeySource {
					c.fault(fmt.Sprintf("trust.%s.exchange.%s.audiences[%d]", key(id), u.name, i),
						"give them different audiences, one key source, or make them one trust",
						"trust %q has the same issuer and accepts %s for %q too, with other keys", other.ID, u.name, audience)
				}
			}
		}
	}
}

// namedUse is a use under its name in the configuration.
type namedUse struct {
	name      string
	audiences []string
}

// uses lists what the trust may be used for.
func (t *Trust) uses() []namedUse {
	var out []namedUse
	if t.Spec.JWT != nil {
		out = append(out, namedUse{"jwt", t.Spec.JWT.Audiences})
	}
	if t.Spec.IDToken != nil {
		out = append(out, namedUse{"id_token", t.Spec.IDToken.Audiences})
	}
	if t.Spec.SAML2 != nil {
		out = append(out, namedUse{"saml2", t.Spec.SAML2.Audiences})
	}
	return out
}
