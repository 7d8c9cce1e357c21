package config

import (
	"fmt"
	"net/url"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/federation"
)

// federation reads one `[federation.ID]`.
func (l *loader) federation(c *Config, id string, f *federationDoc) {
	path := joinPath("federation", id)
	c.Federations[id] = l.federationSource(path, f)
	spec := trust.TrustSpec{
		Name: f.Name, Disabled: f.Disabled, Subject: f.Subject, Require: f.Require, SAML2: f.Exchange.SAML2.spec(),
		KeySource: sourceName(f), Grants: make([]trust.GrantSpec, len(f.Grants)),
	}
	for i, g := range f.Grants {
		spec.Grants[i] = g.spec()
		if m := g.Members; m != nil {
			spec.Grants[i].Members = &trust.MemberSpec{Categories: m.Categories, Authorities: m.Authorities, Attributes: m.Attributes}
		}
	}
	if f.Login != nil {
		spec.Login = (&trustLoginDoc{Protocol: trust.ProtocolSAML, memberLoginDoc: *f.Login}).spec()
		c.FederationLogins[id] = l.samlWays(path+".login", f.Login)
	}
	c.Policy.Federations[id] = spec
}

func sourceName(f *federationDoc) string {
	switch {
	case f.URL != "":
		return "url:" + f.URL
	case f.File != "":
		return "file:" + f.File
	}
	return "mdq:" + f.MDQ
}

func (l *loader) federationSource(path string, f *federationDoc) federation.Source {
	src := federation.Source{
		URL: f.URL, MDQ: f.MDQ, Refresh: f.Refresh, MaxValidity: f.MaxValidity, Language: l.doc.Login.Language, Dev: l.doc.Dev,
	}
	for name, link := range map[string]string{"url": f.URL, "mdq": f.MDQ} {
		if link != "" {
			l.checkMetadataURL(path+"."+name, link)
		}
	}
	if f.File != "" {
		f.File = l.resolve(path, f.File)
		src.File = f.File
	}
	set, _ := l.certificates(path+".certificates", f.Certificates, nil, jose.ParsePinnedPEM)
	f.Certificates = l.resolveAll(path, f.Certificates)
	if set != nil {
		for _, k := range set.Keys() {
			src.Keys = append(src.Keys, k.Public)
		}
	}
	switch {
	case f.CAFile == "":
	case f.File != "":
		l.fault(path+".ca_file", "has no effect on metadata from a file", "drop it")
	default:
		src.Roots, _ = l.pool(path+".ca_file", &f.CAFile)
	}
	return src
}

// checkMetadataURL refuses what metadata must not be fetched from. They are signed; but who sits on the way could keep old ones in use, and
// see what is asked for.
func (l *loader) checkMetadataURL(path, raw string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		l.fault(path, fmt.Sprintf("%q is not a URL to fetch metadata from", withoutUser(raw)), "write https://host/path, without user or fragment")
	case u.Scheme != "https" && !(l.doc.Dev && u.Scheme == "http"):
		l.fault(path, fmt.Sprintf("metadata over %s: anybody on the way could withhold new ones", u.Scheme), "use https; http is for dev = true")
	}
}

// federated refuses keys of a federation for what is not verified with them.
func (l *loader) federated(path string, t *trustDoc) {
	if !t.assertions() || t.Exchange.JWT != nil || t.Exchange.IDToken != nil {
		l.fault(path+".keys.federation", "metadata of a federation have keys for assertions only",
			"use it with saml2 or a login that speaks saml, and give JWTs a trust of their own")
	}
}
