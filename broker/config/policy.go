package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"apostille/trust"
)

// policy fills the Spec, the key sources and the credentials.
func (l *loader) policy(c *Config) {
	c.Policy = trust.Spec{
		Issuer: l.doc.Issuer, Dev: l.doc.Dev,
		APIs:    make(map[string]trust.APISpec, len(l.doc.APIs)),
		Clients: make(map[string]trust.ClientSpec, len(l.doc.Clients)),
		Trusts:  make(map[string]trust.TrustSpec, len(l.doc.Trusts)),

		Federations: make(map[string]trust.TrustSpec, len(l.doc.Federations)),
	}
	for id, api := range l.doc.APIs {
		scopes, words := l.words(joinPath("api", id)+".scopes", api.Scopes)
		c.Policy.APIs[id] = trust.APISpec{
			Audience: api.Audience, Resources: api.Resources, Client: api.Client, Scopes: scopes, Words: words, Reserved: api.Reserved,
			Token: trust.TokenSpec{Alg: api.Token.Alg, Typ: api.Token.Typ, Format: api.Token.Format, Recipient: api.Token.Recipient}, Lifetime: api.Lifetime,
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.doc.Clients)) {
		client := l.doc.Clients[id]
		c.Policy.Clients[id] = trust.ClientSpec{
			Name: client.Name, Disabled: client.Disabled, Grants: client.Grants, APIs: client.APIs, Lifetime: client.Lifetime,
		}
		spec := c.Policy.Clients[id]
		if spec.App = l.application(c, joinPath("client", id), id, client); client.SAML != nil {
			spec.Grants = append(spec.Grants, string(trust.GrantSAMLSSO))
		}
		c.Policy.Clients[id] = spec
		if !client.Public && client.SAML == nil {
			c.Credentials[id] = l.credential(joinPath("client", id), client)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.doc.Trusts)) {
		l.trust(c, id, l.doc.Trusts[id])
	}
	for _, id := range slices.Sorted(maps.Keys(l.doc.Federations)) {
		l.federation(c, id, l.doc.Federations[id])
	}
	l.sharedDomains(c.Policy.Trusts)
}

// sharedDomains warns where trusts of different issuers share a subject domain: one issuer can then name the people of the other.
func (l *loader) sharedDomains(trusts map[string]trust.TrustSpec) {
	first := make(map[string]string, len(trusts)) // domain → trust ID
	for _, id := range slices.Sorted(maps.Keys(trusts)) {
		t := trusts[id]
		domain := t.Domain
		if domain == "" {
			domain = t.Issuer
		}
		other, taken := first[domain]
		switch {
		case domain == "" || id == trust.Local:
		case !taken:
			first[domain] = id
		case trusts[other].Issuer != t.Issuer:
			l.warn(joinPath("trust", id)+".domain", fmt.Sprintf("trusts %s and %s have different issuers and one subject domain, %q: "+
				"equal subjects of theirs are one subject here", other, id, domain), "nothing to do if both speak for the same people")
		}
	}
}

func (l *loader) trust(c *Config, id string, t *trustDoc) {
	spec := trust.TrustSpec{
		Name: t.Name, Disabled: t.Disabled, Issuer: t.Issuer, Domain: t.Domain, Subject: t.Subject,
		Require: t.Require, JWT: t.Exchange.JWT.spec(), IDToken: t.Exchange.IDToken.spec(), SAML2: t.Exchange.SAML2.spec(), Login: t.Login.spec(),
		Grants: make([]trust.GrantSpec, len(t.Grants)),
	}
	for i, g := range t.Grants {
		spec.Grants[i] = g.spec()
	}
	if id != trust.Local {
		c.Keys[id], spec.KeySource = l.keySource(joinPath("trust", id), t)
		spec.AttributeScopes = t.Scopes // metadata may have them
	}
	if t.Keys != nil && t.Keys.Federation != "" {
		spec.Federation = t.Keys.Federation
		delete(c.Keys, id)
	}
	switch {
	case t.Login == nil:
	case t.saml():
		c.SAMLLogins[id] = l.samlLogin(joinPath("trust", id), t)
	default:
		c.Logins[id] = l.upstream(joinPath("trust", id), t, c.Keys[id])
	}
	c.Policy.Trusts[id] = spec
}

func (g *grantDoc) spec() trust.GrantSpec {
	return trust.GrantSpec{
		Clients: g.Clients, Unauthenticated: g.Unauthenticated, SignIn: g.SignIn, API: g.API,
		Scopes: g.Scopes.List, ScopeMap: g.Scopes.Map, DefaultScopes: g.DefaultScopes,
		When: g.When, Claims: g.Claims, Lifetime: g.Lifetime,
	}
}

func (u *useDoc) spec() *trust.UseSpec {
	if u == nil {
		return nil
	}
	return &trust.UseSpec{Audiences: u.Audiences, Parties: u.Parties, Types: u.Types, MaxAge: u.MaxAge, OneTime: u.OneTime}
}

func (a *assertionDoc) spec() *trust.AssertionSpec {
	if a == nil {
		return nil
	}
	return &trust.AssertionSpec{Audiences: a.Audiences, Recipients: a.Recipients, MaxAge: a.MaxAge}
}

// newClient is the remedy wherever a secret is missing or unfit.
const newClient = "`apostille client new` makes a secret and prints the secret_sha256 line to write"

func (l *loader) credential(path string, client *clientDoc) Credential {
	switch {
	case client.Secret != "":
		if !l.doc.Dev {
			l.fault(path+".secret", "a literal secret outside dev mode", newClient)
		}
		// From here on the document holds the hash only.
		sum := sha256.Sum256([]byte(client.Secret))
		client.Secret, client.SecretSHA256 = "", []string{hex.EncodeToString(sum[:])}
		return Credential{SecretSHA256: [][32]byte{sum}}
	case client.JWKSFile != "":
		set, _ := l.jwksFile(path+".jwks_file", client.JWKSFile, nil)
		client.JWKSFile = l.resolve(path, client.JWKSFile)
		return Credential{JWKS: set}
	}
	var c Credential
	for i, text := range client.SecretSHA256 {
		if sum, ok := l.secretHash(elemPath(path+".secret_sha256", i), text); ok {
			c.SecretSHA256 = append(c.SecretSHA256, sum)
		}
	}
	return c
}

func (l *loader) secretHash(path, text string) (sum [sha256.Size]byte, ok bool) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(sum) {
		l.fault(path, fmt.Sprintf("expected 64 hexadecimal digits, got %d characters", len(text)), newClient)
		return sum, false
	}
	sum = [sha256.Size]byte(b)
	if sum == sha256.Sum256(nil) {
		l.fault(path, "the hash of an empty secret", newClient)
		return sum, false
	}
	return sum, true
}
