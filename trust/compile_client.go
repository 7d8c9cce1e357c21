package trust

import (
	"fmt"
	"slices"
)

// grants are the grants that exist.
var grants = []Grant{GrantTokenExchange, GrantJWTBearer, GrantSAML2Bearer, GrantClientCredentials, GrantCode, GrantRefresh, GrantSAMLSSO}

// GrantNames lists the grants as `grants` of a client names them. That of SAML applications is never written: theirs is understood.
func GrantNames() []string {
	var names []string
	for _, g := range grants {
		if g != GrantSAMLSSO {
			names = append(names, string(g))
		}
	}
	return names
}

// client compiles one `[client.ID]`.
func (c *compiler) client(id string, s ClientSpec) {
	path := "client." + key(id)
	out := &Client{ID: id, Spec: s}
	out.Spec.Grants = slices.Clone(s.Grants)
	out.Spec.APIs = cloneLists(s.APIs)
	out.Spec.App = cloneApp(s.App)
	c.reg.clients[id] = out

	if !clientIDSyntax.MatchString(id) {
		c.fault(path, "use 1 to 128 of A-Z a-z 0-9 . _ - and begin with a letter or digit", "%q is not a client_id", id)
	}
	for i, g := range s.Grants {
		if !slices.Contains(grants, Grant(g)) {
			c.fault(fmt.Sprintf("%s.grants[%d]", path, i), fmt.Sprintf("use some of %s", show(grants)), "there is no grant %q", g)
		}
	}
	c.duplicates(path+".grants", s.Grants)
	for _, api := range sortedKeys(s.APIs) {
		c.registration(path+".apis."+key(api), out, api)
	}
	if err := durationFault(s.Lifetime); err != nil {
		c.fault(path+".lifetime", durationRemedy, "the lifetime cannot be used: %v", err)
	}
	c.signsIn(path, out)
	if out.Spec.App != nil {
		c.app(path, out)
	}
}

// registration checks what a client may ever be given of one API.
func (c *compiler) registration(path string, client *Client, api string) {
	a, ok := c.knownAPI(path, api)
	if !ok {
		return
	}
	scopes := client.Spec.APIs[api]
	for i, scope := range scopes {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.scopeOf(at, a, scope)
		if client.ThirdParty() && slices.Contains(a.Spec.Reserved, scope) {
			c.fault(at, "take the scope out, or set first_party = true if the application is ours",
				"api %q reserves %q for first-party applications, and %q is a third party's", a.ID, scope, client.ID)
		}
	}
	c.duplicates(path, scopes)
}

// knownAPI finds an API that something refers to, or reports that there is none.
func (c *compiler) knownAPI(path, id string) (*API, bool) {
	a, ok := c.reg.apis[id]
	switch {
	case id == UserInfo:
		c.fault(path, "name an API that is declared under [api]",
			"%q is the broker itself and is granted at sign-in only", UserInfo)
		return nil, false
	case id == "":
		c.fault(path, "name an API that is declared under [api]", "the API is missing")
	case !ok:
		c.fault(path, "declare the API or correct the name", "there is no api %q", id)
	}
	return a, ok
}

// scopeOf checks a scope that something refers to: no wildcard, and its API defines it.
func (c *compiler) scopeOf(path string, a *API, scope string) {
	if err := scopeFault(scope); err != nil {
		c.fault(path, "name each scope by itself, without wildcards", "%v", err)
		return
	}
	if _, ok := a.Spec.Scopes[scope]; !ok {
		c.fault(path, fmt.Sprintf("use some of %s, or add it to the API", show(sortedKeys(a.Spec.Scopes))),
			"api %q defines no scope %q", a.ID, scope)
	}
}
