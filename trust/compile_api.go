package trust

import (
	"fmt"
	"maps"
	"slices"
)

// What TokenSpec may say; the first is the default. Do not change them.
var (
	TokenAlgs    = []string{"ES256", "RS256", "EdDSA"}
	TokenTyps    = []string{"at+jwt", "JWT"}
	TokenFormats = []string{"jwt", "opaque", FormatSAML2}
)

// FormatSAML2 is the TokenSpec.Format of APIs that take SAML 2.0 assertions.
const FormatSAML2 = "saml2"

// api compiles one `[api.ID]`. What it has in common with other APIs is checked by apiNames.
func (c *compiler) api(id string, s APISpec) {
	path := "api." + key(id)
	a := &API{ID: id, Spec: s}
	a.Spec.Resources, a.Spec.Reserved = slices.Clone(s.Resources), slices.Clone(s.Reserved)
	a.Spec.Scopes, a.Spec.Words = maps.Clone(s.Scopes), cloneWords(s.Words)
	c.reg.apis[id] = a

	if id == UserInfo {
		c.fault(path, "choose another name", "%q is the broker itself as an API and cannot be declared", UserInfo)
	} else if !idSyntax.MatchString(id) {
		c.fault(path, "use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit", "%q is not an API name", id)
	}
	if err := nameFault(s.Audience); err != nil {
		c.fault(path+".audience", "write the value its tokens carry in aud, best the URL of the API",
			"the audience %q cannot be used: %v", s.Audience, err)
	}
	c.apiOwner(path+".client", s.Client)
	for _, scope := range sortedKeys(s.Scopes) {
		c.reg.defined[scope] = true
		if err := scopeFault(scope); err != nil {
			c.fault(path+".scopes."+key(scope), "name each scope by itself, without wildcards", "%v", err)
		}
	}
	for i, scope := range s.Reserved {
		c.scopeOf(fmt.Sprintf("%s.first_party_scopes[%d]", path, i), a, scope)
	}
	c.duplicates(path+".first_party_scopes", s.Reserved)
	c.apiToken(path, a)
}

// apiOwner checks the client that owns an API: it must be able to prove that it is the owner.
func (c *compiler) apiOwner(path, id string) {
	owner, ok := c.spec.Clients[id]
	switch {
	case id == "":
	case !ok:
		c.fault(path, "declare the client or correct the name", "there is no client %q", id)
	case owner.App != nil && owner.App.Public:
		c.fault(path, "name a client with a credential", "the client %q is public: anybody could act as the owner", id)
	}
}

// apiToken checks how and for how long tokens are issued, and fills in the defaults.
func (c *compiler) apiToken(path string, a *API) {
	t := &a.Spec.Token
	if t.Alg == "" {
		t.Alg = TokenAlgs[0]
	}
	if t.Typ == "" {
		t.Typ = TokenTyps[0]
	}
	if t.Format == "" {
		t.Format = TokenFormats[0]
	}
	if !slices.Contains(TokenFormats, t.Format) {
		c.fault(path+".token.format", fmt.Sprintf("use one of %s", show(TokenFormats)), "the format %q is not built", t.Format)
	}
	if !slices.Contains(TokenAlgs, t.Alg) {
		c.fault(path+".token.alg", fmt.Sprintf("use one of %s", show(TokenAlgs)), "the algorithm %q is not built", t.Alg)
	}
	if !slices.Contains(TokenTyps, t.Typ) {
		c.fault(path+".token.typ", fmt.Sprintf("use one of %s", show(TokenTyps)), "the type %q is not built", t.Typ)
	}
	c.apiAssertion(path+".token", t)
	if err := durationFault(a.Spec.Lifetime); err != nil {
		c.fault(path+".lifetime", durationRemedy, "the lifetime cannot be used: %v", err)
	}
	if a.Spec.Lifetime == 0 {
		a.Spec.Lifetime = DefaultLifetime
	}
}

// apiAssertion checks what only assertions have.
func (c *compiler) apiAssertion(path string, t *TokenSpec) {
	switch {
	case t.Format != FormatSAML2 && t.Recipient != "":
		c.fault(path+".recipient", "remove it, or write format = \"saml2\"", "a recipient has no effect on tokens that are no assertions")
	case t.Format != FormatSAML2:
	case t.Recipient == "":
		c.fault(path+".recipient", "write the URL at which the service takes assertions", "the assertions would be for nobody: recipient is missing")
	case webFault(t.Recipient, c.spec.Dev) != nil:
		c.fault(path+".recipient", "write the https URL at which the service takes assertions", "the recipient %q cannot be used: %v", t.Recipient, webFault(t.Recipient, c.spec.Dev))
	}
	if t.Format == FormatSAML2 && t.Alg == "EdDSA" {
		c.fault(path+".alg", "use ES256 or RS256", "XML signatures know no EdDSA")
	}
}

var durationRemedy = fmt.Sprintf("use at least 1s and at most %v", MaxLifetime)

// apiNames indexes what a request may name an API by, and refuses whatever could mean two of them. Comparison is
// byte for byte, as in tokens.
func (c *compiler) apiNames() {
	ids := sortedKeys(c.reg.apis)
	for _, id := range ids {
		c.apiAudience(c.reg.apis[id])
	}
	for _, id := range ids {
		a := c.reg.apis[id]
		if other, ok := c.reg.byAudience[id]; ok && other != a {
			c.fault("api."+key(id), "rename one of them", "the name %q is also the audience of api %q", id, other.ID)
		}
		for i, resource := range a.Spec.Resources {
			c.apiResource(fmt.Sprintf("api.%s.resources[%d]", key(id), i), a, resource)
		}
	}
}

func (c *compiler) apiAudience(a *API) {
	aud, path := a.Spec.Audience, "api."+key(a.ID)+".audience"
	if aud == "" {
		return
	}
	if aud == c.spec.Issuer {
		c.fault(path, "choose another audience", "the audience %q is our issuer, which stands for %q", aud, UserInfo)
	}
	if aud == UserInfo {
		c.fault(path, "choose another audience", "the audience %q is the name of the broker itself as an API", aud)
	}
	if other, ok := c.reg.byAudience[aud]; ok {
		c.fault(path, "give each API an audience of its own", "the audience %q is also that of api %q", aud, other.ID)
		return
	}
	c.reg.byAudience[aud], c.reg.byResource[aud] = a, a
}

func (c *compiler) apiResource(path string, a *API, resource string) {
	if err := resourceFault(resource); err != nil {
		c.fault(path, "write an absolute URI without a fragment", "the resource %q cannot be used: %v", resource, err)
		return
	}
	if resource == c.spec.Issuer {
		c.fault(path, "remove it", "the resource %q is our issuer, which stands for %q", resource, UserInfo)
	}
	if other, ok := c.reg.byResource[resource]; ok {
		c.fault(path, "list each URI once, and not the audience itself", "the resource %q already names api %q", resource, other.ID)
		return
	}
	c.reg.byResource[resource] = a
}
