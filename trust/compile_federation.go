package trust

import (
	"fmt"
	"regexp"
)

// federationSyntax leaves room for MemberID in the syntax of a trust's ID.
var federationSyntax = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,30}$`)

// federation compiles one `[federation.ID]`: a trust whose issuer is yet to be known, and its grant rules.
func (c *compiler) federation(id string, s TrustSpec) {
	path := "federation." + key(id)
	t := &Trust{ID: id, Spec: cloneTrust(s), many: true}
	c.reg.federations[id] = t
	if !federationSyntax.MatchString(id) {
		c.fault(path, "use 1 to 31 of a-z 0-9 _ - and begin with a letter or digit", "%q is not the name of a federation", id)
	}
	if _, taken := c.spec.Trusts[id]; taken || id == Local {
		c.fault(path, "give one of them another name", "there is a trust %q too, and applications name both in one list", id)
	}
	c.subject(path, t)
	if s.SAML2 == nil && s.Login == nil {
		c.fault(path+".exchange", `say what it may be used for, such as saml2 = {}, or declare its login`,
			"the federation has no use: no assertions of its members may be exchanged, and nobody signs in with them")
	}
	c.assertions(path+".exchange.saml2", t.Spec.SAML2)
	if t.Spec.Login != nil {
		c.login(path, t)
	}
	c.policyOf(path, t)
}

// refinement checks a trust that leaves its keys and places to a federation.
func (c *compiler) refinement(path string, t *Trust) {
	id := t.Spec.Federation
	if id == "" {
		return
	}
	if _, ok := c.spec.Federations[id]; !ok {
		c.fault(path+".keys.federation", "declare the federation or correct the name", "there is no federation %q", id)
	}
}

// memberIDs keeps the IDs of members free.
func (c *compiler) memberIDs(path, id string) {
	if federation, ok := federationOf(id); ok {
		if _, taken := c.spec.Federations[federation]; taken {
			c.fault(path, "give it another name", "%q is how members of federation %q are called", id, federation)
		}
	}
}

// ruleMembers checks what narrows a rule to some members of a federation.
func (c *compiler) ruleMembers(path string, t *Trust, m *MemberSpec) *MemberSpec {
	path += ".members"
	switch {
	case m == nil:
		return nil
	case !t.many:
		c.fault(path, "remove it, or put the rule under a federation", "a trust has no members")
	case m.empty():
		c.fault(path, "name categories, registration authorities or attributes, or remove it", "it narrows nothing")
	}
	c.names(path+".categories", "list entity categories, which are URIs", m.Categories)
	c.names(path+".registration_authorities", "list registration authorities, which are URIs", m.Authorities)
	for _, name := range sortedKeys(m.Attributes) {
		at := path + ".attributes." + key(name)
		if len(m.Attributes[name]) == 0 {
			c.fault(at, "list the values that will do", "the attribute has no values: no member would have one of them")
		}
		c.names(at, "list values of the attribute", m.Attributes[name])
	}
	return m
}

// path is where the trust stands in the configuration.
func (t *Trust) path() string {
	if t.many {
		return "federation." + key(t.ID)
	}
	return "trust." + key(t.ID)
}

func (t *Trust) rulePath(n int) string { return fmt.Sprintf("%s.grant[%d]", t.path(), n) }
