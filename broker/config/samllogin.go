package config

import (
	"slices"
	"strings"

	"apostille/trust"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"
)

// saml says whether people sign in by SAML, and assertions whether the trust takes assertions at all.
func (t *trustDoc) saml() bool       { return t.Login != nil && t.Login.Protocol == trust.ProtocolSAML }
func (t *trustDoc) assertions() bool { return t.Exchange.SAML2 != nil || t.saml() }

// stated is a key that stands in a login.
type stated struct {
	name string
	set  bool
}

func (t *trustLoginDoc) ofOIDC() []stated {
	return []stated{
		{"client_id", t.ClientID != ""}, {"client_secret", t.ClientSecret != secretDoc{}}, {"auth", t.Auth != ""},
		{"assertion_audience", t.AssertionAudience != ""}, {"scopes", t.Scopes != nil}, {"userinfo", t.UserInfo != nil},
		{"response_mode", t.ResponseMode != ""}, {"refresh_claims", t.RefreshClaims},
	}
}

func (t *trustLoginDoc) ofSAML() []stated {
	return []stated{
		{"sso_url", t.SSOURL != ""}, {"sso_binding", t.SSOBinding != ""}, {"slo_url", t.SLOURL != ""}, {"sp_entity_id", t.SPEntityID != ""},
		{"name_id_format", t.NameIDFormat != ""}, {"attributes", t.Attributes != nil}, {"request_signing", t.SignRequests != nil},
		{"allow_cbc", t.AllowCBC}, {"idp_initiated", t.IdPInitiated},
	}
}

// only refuses keys of the other protocol: their author believes that they do something.
func (l *loader) only(path, protocol string, others []stated) {
	for _, k := range others {
		if k.set {
			l.fault(path+"."+k.name, "has no effect with protocol = "+protocol, "drop it, or change the protocol")
		}
	}
}

// oidcDefaults are those that trustLoginKeys gives in words.
func (t *trustLoginDoc) oidcDefaults() {
	if t.Scopes == nil {
		t.Scopes = []string{"openid", "profile", "email"}
	}
	if t.UserInfo == nil {
		t.UserInfo = ptr(true)
	}
	if t.ResponseMode == "" {
		t.ResponseMode = oidc.ModeQuery
	}
}

func ptr[T any](v T) *T { return &v }

// nameIDFormats are those that may be named for short; the rest of SAML Core 2.0 §8.3 is of no use here.
var nameIDFormats = map[string]string{
	"persistent":   "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
	"transient":    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
	"emailAddress": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
	"unspecified":  "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}

// samlLogin reads how a trust is talked to for logins by SAML.
func (l *loader) samlLogin(path string, t *trustDoc) saml.Login {
	doc := t.Login
	path += ".login"
	l.only(path, trust.ProtocolSAML, doc.ofOIDC())
	if m := l.offices[t]; m != nil {
		doc.fill(m)
	}
	federated := t.Keys != nil && t.Keys.Federation != ""
	if doc.SSOURL == "" && !federated && !l.faulty(path+".sso_url") {
		l.fault(path+".sso_url", "missing", "write its SingleSignOnService, or keys = { metadata_file = \"…\" }")
	}
	for name, link := range map[string]string{"sso_url": doc.SSOURL, "slo_url": doc.SLOURL} {
		if link != "" {
			l.checkPlace(path+"."+name, link)
		}
	}
	if doc.Logout && doc.SLOURL == "" && !federated {
		l.fault(path+".logout", "has no effect without slo_url", "write its SingleLogoutService as slo_url, or drop it")
	}
	if doc.SSOBinding == "" {
		doc.SSOBinding = saml.BindingRedirect
	}
	out := l.samlWays(path, &doc.memberLoginDoc)
	out.SSOURL, out.SSOBinding, out.LogoutURL, out.EntityID, out.IdPInitiated = doc.SSOURL, doc.SSOBinding, doc.SLOURL, doc.SPEntityID, doc.IdPInitiated
	return out
}

// samlWays reads how a trust, or a federation's member, is talked to.
func (l *loader) samlWays(path string, doc *memberLoginDoc) saml.Login {
	if doc.SignRequests == nil {
		doc.SignRequests = ptr(true)
	}
	format := doc.NameIDFormat
	if full := nameIDFormats[format]; full != "" {
		format = full
	} else if format != "" && !strings.HasPrefix(format, "urn:") {
		l.fault(path+".name_id_format", "expected persistent, transient, emailAddress, unspecified or a URN", "write one of them, or drop it")
	}
	l.attributeNames(path+".attributes", doc.Attributes)
	return saml.Login{
		NameIDFormat: format,
		Attributes:   doc.Attributes, SignRequests: *doc.SignRequests, CBC: doc.AllowCBC, Logout: doc.Logout,
	}
}

// attributeNames refuses two attributes for one claim: which of them it is would be chance.
func (l *loader) attributeNames(path string, attributes map[string]string) {
	var seen []string
	for theirs, ours := range attributes {
		if slices.Contains(seen, ours) || ours == "" || theirs == "" {
			l.fault(path, "two attributes for one claim, or an empty name", "give each claim one attribute")
		}
		seen = append(seen, ours)
	}
}

// fill takes from metadata what is not written.
func (t *trustLoginDoc) fill(m *saml.Metadata) {
	if t.SSOURL == "" {
		t.SSOURL = m.SSOURL
		if t.SSOBinding == "" {
			t.SSOBinding = m.SSOBinding
		}
	}
	if t.SLOURL == "" {
		t.SLOURL = m.LogoutURL
	}
}
