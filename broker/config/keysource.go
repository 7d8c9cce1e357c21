package config

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"apostille/trust/jose"
	"apostille/upstream/keys"
	"apostille/upstream/saml"
)

// keySource reads where a trust's keys come from. The string is trust.TrustSpec.KeySource; it is never
// empty, because each reason for having no keys was reported here.
func (l *loader) keySource(path string, t *trustDoc) (keys.Source, string) {
	src := keys.Source{Algs: make([]jose.Alg, len(t.Algorithms))}
	for i, alg := range t.Algorithms {
		src.Algs[i] = jose.Alg(alg)
	}
	l.assertionKeys(path, t)
	k := t.Keys
	switch {
	case k == nil:
		return src, "none"
	case k.Discovery:
		src.Discovery = t.Issuer
		if t.Issuer != "" {
			l.checkURL(path+".keys.discovery", t.Issuer)
		}
		return src, "discovery:" + t.Issuer + l.fetched(path, t, &src)
	case k.JWKSURL != "":
		src.JWKSURL = k.JWKSURL
		l.checkURL(path+".keys.jwks_url", k.JWKSURL)
		return src, "jwks_url:" + k.JWKSURL + l.fetched(path, t, &src)
	}
	l.notFetched(path, t)
	if k.Federation != "" {
		l.federated(path, t)
		return src, "federation:" + k.Federation
	}
	var digest string
	switch {
	case k.MetadataFile != "":
		src.Static, digest = l.metadata(path+".keys.metadata_file", t)
		k.MetadataFile = l.resolve(path, k.MetadataFile)
	case k.JWKSFile != "":
		src.Static, digest = l.jwksFile(path+".keys.jwks_file", k.JWKSFile, src.Algs)
		k.JWKSFile = l.resolve(path, k.JWKSFile)
	default:
		parse := jose.ParsePEM
		if t.assertions() {
			parse = jose.ParsePinnedPEM
		}
		src.Static, digest = l.certificates(path+".keys.certificates", k.Certificates, src.Algs, parse)
		k.Certificates = l.resolveAll(path, k.Certificates)
	}
	return src, "static:" + digest
}

// assertionKeys refuses what cannot verify assertions: they are verified with certificates that were pinned.
func (l *loader) assertionKeys(path string, t *trustDoc) {
	if !t.assertions() {
		if t.Keys != nil && t.Keys.MetadataFile != "" {
			l.fault(path+".keys.metadata_file", "the trust takes no assertions", "write saml2 = {} under its exchange or a SAML login, or keys of another kind")
		}
		return
	}
	if t.Keys != nil && t.Keys.Certificates == nil && t.Keys.MetadataFile == "" && t.Keys.Federation == "" && !l.faulty(path+".keys") {
		l.fault(path+".keys", "assertions are verified with certificates, and the keys come from elsewhere",
			`write keys = { metadata_file = "…" }, or { certificates = ["…"] } with the signing certificates in it; a trust of its own for its JWTs`)
	}
	if t.Algorithms != nil {
		l.fault(path+".algorithms", "has no effect on assertions", "drop it: RSA and ECDSA with SHA-256 or better are accepted, and nothing else")
	}
}

// fetched reads what concerns keys behind a URL. Other TLS roots are another source, so it returns what
// the roots add to the source's name.
func (l *loader) fetched(path string, t *trustDoc, src *keys.Source) string {
	if t.MaxStale == 0 {
		t.MaxStale = keys.DefaultMaxStale
	}
	src.MaxStale = t.MaxStale
	if t.CAFile == "" {
		return ""
	}
	src.Roots, src.RootsID = l.roots(path, t)
	return " ca:" + src.RootsID
}

// roots reads private TLS roots, and returns what tells them from others.
func (l *loader) roots(path string, t *trustDoc) (*x509.CertPool, string) {
	return l.pool(path+".ca_file", &t.CAFile)
}

// pool reads a PEM file of roots, whose name becomes absolute.
func (l *loader) pool(path string, file *string) (*x509.CertPool, string) {
	b, ok := l.read(path, *file)
	*file = l.resolve(path, *file)
	pool := x509.NewCertPool()
	if ok && !pool.AppendCertsFromPEM(b) {
		l.fault(path, "no certificate in "+*file, "give PEM blocks of type CERTIFICATE")
	}
	return pool, digestOf(b)
}

// notFetched refuses what would have no effect: its author believes something that is not so.
func (l *loader) notFetched(path string, t *trustDoc) {
	const remedy = "drop it; keys from files are reloaded when the files change"
	if t.MaxStale != 0 {
		l.fault(path+".max_stale", "has no effect on keys from files", remedy)
	}
	if t.CAFile != "" && (t.Login == nil || t.saml()) {
		l.fault(path+".ca_file", "has no effect on keys from files", remedy)
	}
}

// checkURL refuses what keys must not be fetched from.
func (l *loader) checkURL(path, raw string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		l.fault(path, fmt.Sprintf("%q is not a URL to fetch keys from", withoutUser(raw)), "write https://host/path, without user or fragment; keys of issuers without a URL come from jwks_file or certificates")
	case u.Scheme != "https" && !(l.doc.Dev && u.Scheme == "http"):
		l.fault(path, fmt.Sprintf("keys over %s: anybody on the way could replace them", u.Scheme), "use https; http is for dev = true")
	}
}

// checkPlace refuses what people must not be sent to.
func (l *loader) checkPlace(path, raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !(l.doc.Dev && u.Scheme == "http") {
		l.fault(path, fmt.Sprintf("%q is not an address to send people to", withoutUser(raw)), "write https://host/path, without user or fragment; http is for dev = true")
	}
}

// withoutUser keeps a password that stands in a URL out of the report.
func withoutUser(raw string) string {
	if at := strings.LastIndex(raw, "@"); at >= 0 {
		return "…" + raw[at:]
	}
	return raw
}

// jwksFile reads a JWK Set. A key that is weak, private or ambiguous refuses the file: its owner should
// know. Keys that merely serve other ends (encryption, an algorithm not allowed here) are left out with a warning.
func (l *loader) jwksFile(path, file string, allowed []jose.Alg) (*jose.Set, string) {
	b, ok := l.read(path, file)
	if !ok {
		return nil, ""
	}
	set, refused, err := jose.ParseJWKS(b, allowed)
	if len(refused) > 0 {
		l.refused(path, b, refused)
	}
	if err != nil && !l.faulty(path) {
		l.fault(path, file+": "+err.Error(), "give a JWK Set with public signature keys: RSA of 2048 bits or more, EC or Ed25519")
	}
	return set, digestOf(b)
}

func (l *loader) refused(path string, set []byte, refused []jose.Refused) {
	_, always, _ := jose.ParseJWKS(set, nil)
	encryption := encryptionKeys(set)
	for _, r := range refused {
		text := fmt.Sprintf("key %q is left out: %s", r.Kid, r.Why)
		if encryption[r.Kid] || !slices.ContainsFunc(always, func(a jose.Refused) bool { return a.Kid == r.Kid }) {
			l.warn(path, text, "nothing to do if that is meant")
		} else {
			l.fault(path, text, "replace or remove this key")
		}
	}
}

// encryptionKeys returns the kids that only keys with use "enc" have.
func encryptionKeys(set []byte) map[string]bool {
	kids := map[string]bool{}
	object, err := jose.DecodeObject(set)
	if err != nil {
		return kids
	}
	list, _ := object["keys"].([]any)
	for _, elem := range list {
		key, _ := elem.(map[string]any)
		kid, _ := key["kid"].(string)
		seen, known := kids[kid]
		kids[kid] = key["use"] == "enc" && (seen || !known)
	}
	return kids
}

// metadata reads the signing certificates of an issuer's SAML metadata.
func (l *loader) metadata(path string, t *trustDoc) (*jose.Set, string) {
	b, ok := l.read(path, t.Keys.MetadataFile)
	if !ok {
		return nil, ""
	}
	m, err := saml.ReadMetadata(b)
	if err != nil {
		l.fault(path, t.Keys.MetadataFile+": "+err.Error(), "give the metadata of the one identity provider, as it publishes it")
		return nil, ""
	}
	if m.EntityID != t.Issuer && t.Issuer != "" {
		l.fault(path, fmt.Sprintf("it is of %q, and the issuer of the trust is %q", m.EntityID, t.Issuer), "give the metadata of this issuer, or correct the issuer: they are compared byte for byte")
	}
	l.offices[t] = m
	if t.Scopes == nil {
		if t.Scopes = m.Scopes; t.Scopes == nil && m.Patterns { // to leave them out would allow any
			l.fault(strings.TrimSuffix(path, ".keys.metadata_file")+".attribute_scopes", t.Keys.MetadataFile+" names the issuer's domains by regular expressions only, which are not read",
				"write attribute_scopes with the domains")
		}
	}
	set, err := jose.ParsePinnedPEM(m.Certificates, nil)
	if err != nil {
		l.fault(path, t.Keys.MetadataFile+": "+err.Error(), "ask the issuer for metadata with a good signing certificate")
	}
	return set, digestOf(m.Certificates)
}

// certificates reads PEM files into one set.
func (l *loader) certificates(path string, files []string, allowed []jose.Alg, parse func([]byte, []jose.Alg) (*jose.Set, error)) (*jose.Set, string) {
	var all []jose.Key
	var digests []string
	for i, file := range files {
		at := elemPath(path, i)
		b, ok := l.read(at, file)
		if !ok {
			continue
		}
		digests = append(digests, digestOf(b))
		set, err := parse(b, allowed)
		if err != nil {
			l.fault(at, file+": "+err.Error(), "give PEM blocks of type CERTIFICATE (of the signer, not of its CA) or PUBLIC KEY")
		} else if set != nil {
			all = append(all, set.Keys()...)
		}
	}
	slices.Sort(digests)
	return jose.NewSet(all...), digestOf([]byte(strings.Join(digests, "")))
}

func (l *loader) resolveAll(path string, files []string) []string {
	out := make([]string, len(files))
	for i, file := range files {
		out[i] = l.resolve(path, file)
	}
	return out
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
