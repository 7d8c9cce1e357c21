package config

import (
	"crypto/x509"
	"fmt"
	"slices"

	"apostille/trust"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
)

// login fills what holds for every sign-in.
func (l *loader) login(c *Config) {
	doc := &l.doc.Login
	c.Login = Login{
		Name: doc.Name, Contact: doc.Contact, Language: doc.Language,
		SessionIdle: doc.SessionIdle, SessionMax: doc.SessionMax, Remember: doc.Remember, Unfinished: int(doc.Unfinished),
	}
	if doc.SessionMax > trust.MaxSession {
		l.fault("login.session_max", fmt.Sprintf("%s is more than %s", shortDuration(doc.SessionMax), shortDuration(trust.MaxSession)), "write less: people sign in again then")
	}
	if doc.SessionIdle > doc.SessionMax {
		l.fault("login.session_idle", "longer than session_max, so it has no effect", "write less than session_max")
	}
}

// application reads what makes a client an application; nil if it is none.
func (l *loader) application(c *Config, path, id string, client *clientDoc) *trust.AppSpec {
	if client.SAML == nil && len(client.RedirectURIs) == 0 {
		l.noApplication(path, client)
		return nil
	}
	app := &trust.AppSpec{
		FirstParty: client.FirstParty, Public: client.Public, RedirectURIs: client.RedirectURIs, PKCEOptional: client.PKCE == "optional",
		Trusts: client.Trusts, Sector: client.Sector, PostLogoutURIs: client.PostLogout,
		BackchannelLogoutURI: client.BackLogout, FrontchannelLogoutURI: client.FrontLogout, Origins: client.Origins,
		RefreshLifetime: client.RefreshMax, RefreshIdle: client.RefreshIdle, RefreshGrace: client.RefreshGrace,
	}
	if client.IDToken != nil {
		app.IDTokenAlg = client.IDToken.Alg
	}
	if client.SAML != nil {
		app.SAML = l.samlApp(c, path, id, client)
	}
	return app
}

// noApplication refuses what only an application has: its author believes that people can sign in.
func (l *loader) noApplication(path string, client *clientDoc) {
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"first_party", client.FirstParty}, {"public", client.Public}, {"pkce", client.PKCE != ""}, {"trusts", client.Trusts != nil},
		{"id_token", client.IDToken != nil}, {"sector", client.Sector != ""}, {"post_logout_redirect_uris", client.PostLogout != nil},
		{"backchannel_logout_uri", client.BackLogout != ""}, {"frontchannel_logout_uri", client.FrontLogout != ""},
		{"origins", client.Origins != nil}, {"refresh_lifetime", client.RefreshMax != 0}, {"refresh_idle", client.RefreshIdle != 0},
		{"refresh_grace", client.RefreshGrace != nil},
	} {
		if at := path + "." + k.name; k.set && !l.faulty(path+".redirect_uris") {
			l.fault(at, "without redirect_uris nobody signs in to the client", "add redirect_uris, or drop it")
		}
	}
}

// spec is what policy and the picker know of a login.
func (t *trustLoginDoc) spec() *trust.LoginSpec {
	if t == nil {
		return nil
	}
	return &trust.LoginSpec{
		Protocol: t.Protocol, EntityID: t.SPEntityID, EmailDomains: t.EmailDomains, Keywords: t.Keywords, Logo: t.Logo, Hidden: t.Hidden,
		SessionMax: t.SessionMax, MaxClaimsAge: t.MaxClaimsAge, ACR: t.ACR,
	}
}

// upstream reads how a trust is talked to for logins.
func (l *loader) upstream(path string, t *trustDoc, src keys.Source) oidc.LoginConfig {
	doc := t.Login
	l.only(path+".login", trust.ProtocolOIDC, doc.ofSAML())
	doc.oidcDefaults()
	if doc.ClientID == "" {
		l.fault(path+".login.client_id", "missing", "add it: what the upstream calls us")
	}
	out := oidc.LoginConfig{
		ClientID: doc.ClientID, Auth: doc.Auth, AssertionAudience: doc.AssertionAudience, Scopes: slices.Clone(doc.Scopes),
		UserInfo: *doc.UserInfo, ResponseMode: doc.ResponseMode, RefreshClaims: doc.RefreshClaims, Logout: doc.Logout,
		Algs: slices.Clone(src.Algs), Roots: l.loginRoots(path, t, src),
	}
	path += ".login"
	if !slices.Contains(out.Scopes, "openid") && !l.faulty(path+".scopes") {
		l.fault(path+".scopes", "openid is not among them", "add openid: without it the upstream gives no ID token")
	}
	stated := doc.ClientSecret != secretDoc{}
	out.Secret = l.secretValue(path+".client_secret", &doc.ClientSecret)
	if !l.faulty(path + ".client_secret") {
		l.upstreamAuth(path, doc, stated)
	}
	if doc.Auth == "" && stated {
		doc.Auth, out.Auth = oidc.AuthBasic, oidc.AuthBasic
	}
	return out
}

// loginRoots are those of the keys, or are read here where keys come from files.
func (l *loader) loginRoots(path string, t *trustDoc, src keys.Source) *x509.CertPool {
	if t.CAFile == "" || src.Roots != nil {
		return src.Roots
	}
	pool, _ := l.roots(path, t)
	return pool
}

// upstreamAuth checks that the way to authenticate and what it takes go together.
func (l *loader) upstreamAuth(path string, doc *trustLoginDoc, secret bool) {
	switch doc.Auth {
	case "":
		if !secret && !l.faulty(path+".auth") {
			l.fault(path+".client_secret", "missing", `add it, such as { env = "OFFICE_SECRET" }, or write auth = "private_key_jwt" or "none"`)
		}
	case oidc.AuthPrivateKeyJWT, oidc.AuthNone:
		if secret {
			l.fault(path+".client_secret", "has no effect with auth = "+doc.Auth, "drop one of the two")
		}
	default:
		if !secret {
			l.fault(path+".client_secret", "missing, and auth = "+doc.Auth+" takes one", `add it, such as { env = "OFFICE_SECRET" }`)
		}
	}
	if doc.AssertionAudience != "" && doc.Auth != oidc.AuthPrivateKeyJWT {
		l.fault(path+".assertion_audience", "has no effect without auth = private_key_jwt", "drop it, or write that auth")
	}
}
