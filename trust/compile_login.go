package trust

import (
	"fmt"
	"slices"
)

// login checks `[trust.ID.login]` and fills in the defaults.
func (c *compiler) login(path string, t *Trust) {
	l := t.Spec.Login
	switch l.Protocol {
	case ProtocolOIDC:
		// The endpoints are found by the issuer, so it must be a URL here (OpenID Connect Discovery §4).
		if err := issuerFault(t.Spec.Issuer, c.spec.Dev); err != nil {
			c.fault(path+".issuer", "write the https URL of the upstream, or remove its login", "people cannot sign in at %q: %v", t.Spec.Issuer, err)
		}
	case ProtocolSAML:
		c.entityID(path+".login.sp_entity_id", t)
	default:
		c.fault(path+".login.protocol", `write "oidc" or "saml"`, "the protocol %q is not built", l.Protocol)
	}
	path += ".login"
	for i, domain := range l.EmailDomains {
		if !domainSyntax.MatchString(domain) {
			c.fault(fmt.Sprintf("%s.email_domains[%d]", path, i), `write a whole domain in lower case, such as "hq.hmart.example"`, "%q is not a domain", domain)
		}
	}
	c.duplicates(path+".email_domains", l.EmailDomains)
	c.duplicates(path+".keywords", l.Keywords)
	if l.Logo != "" {
		if err := webFault(l.Logo, c.spec.Dev); err != nil {
			c.fault(path+".logo", "write the https URL of an image", "the logo %q cannot be used: %v", l.Logo, err)
		}
	}
	for _, theirs := range sortedKeys(l.ACR) {
		if nameFault(theirs) != nil || nameFault(l.ACR[theirs]) != nil {
			c.fault(path+".acr."+key(theirs), "map one value of theirs to one of ours, without spaces", "the mapping of %q to %q cannot be used", theirs, l.ACR[theirs])
		}
	}
	c.within(path+".session_max", l.SessionMax, MaxSession)
	c.within(path+".max_claims_age", l.MaxClaimsAge, MaxSession)
	if l.SessionMax == 0 {
		l.SessionMax = DefaultSessionMax
	}
	if l.MaxClaimsAge == 0 {
		l.MaxClaimsAge = DefaultMaxClaimsAge
	}
}

// entityID keeps what a login's assertions are for apart from what an exchange's are for: each is good for one of the two only (THREATS A87).
func (c *compiler) entityID(path string, t *Trust) {
	id := t.Spec.Login.EntityID
	if id == "" {
		return
	}
	const remedy = "ask the upstream for an entry of its own for the login, or remove it here for our usual entityID"
	if err := nameFault(id); err != nil {
		c.fault(path, remedy, "the entityID %q cannot be used: %v", id, err)
	}
	if id == c.spec.Issuer || t.Spec.SAML2 != nil && slices.Contains(t.Spec.SAML2.Audiences, id) {
		c.fault(path, remedy, "%q is what assertions are addressed to that are exchanged, and one must not do for both", id)
	}
}

// signInRule compiles one `[[trust.ID.grant]]` with sign_in = true.
func (c *compiler) signInRule(t *Trust, n int) {
	g := &t.Spec.Grants[n]
	path := t.rulePath(n)
	r := c.newRule(t, n, path)
	r.api, r.scopes = c.reg.userinfo, IdentityScopes
	for _, f := range []struct {
		key string
		set bool
	}{
		{"unauthenticated", g.Unauthenticated}, {"api", g.API != ""}, {"scopes", g.Scopes != nil || g.ScopeMap != nil}, {"default_scopes", g.DefaultScopes != nil},
	} {
		if f.set {
			c.fault(path+"."+f.key, "remove it, or make a rule of its own of it", "a rule with sign_in grants sign-in and nothing else: it takes no %s", f.key)
		}
	}
	switch {
	case t.ID == Local:
		c.fault(path+".sign_in", "put it under a trust with a login", "nobody signs in with %q, the built-in trust for our own tokens", Local)
	case t.Spec.Login == nil:
		c.fault(path+".sign_in", fmt.Sprintf("declare %s.login, or remove the rule", t.path()), "nobody signs in with this trust: it has no login")
	}
	t.rules = append(t.rules, r)
	for i, id := range g.Clients {
		c.signInClient(fmt.Sprintf("%s.clients[%d]", path, i), t, id)
		c.reg.signIns[ruleKey{t.ID, id}] = append(c.reg.signIns[ruleKey{t.ID, id}], r)
	}
}

// signInClient checks that people could ever sign in to a client by a rule, and indexes the trust for it.
func (c *compiler) signInClient(path string, t *Trust, id string) {
	client, ok := c.reg.clients[id]
	switch {
	case !ok:
		return // reported with the callers
	case client.Spec.App == nil:
		c.fault(path, fmt.Sprintf("give client.%s its redirect_uris, or remove it here", key(id)), "client %q is no application: nobody signs in to it", id)
		return
	case !client.Spec.App.SignsIn(t.ID):
		c.fault(path, fmt.Sprintf("add %s to client.%s.trusts, or remove the client here", t.ID, key(id)),
			"client %q lists its trusts, and %q is not among them: the rule would grant it nothing", id, t.ID)
	}
	list := c.reg.logins[id]
	if t.Spec.Login != nil && !t.Spec.Disabled && !t.many && (len(list) == 0 || list[len(list)-1] != t) {
		c.reg.logins[id] = append(list, t)
	}
}
