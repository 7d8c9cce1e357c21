package trust

import (
	"fmt"
	"slices"
	"time"
)

// signsIn checks that what a client may do and what it is go together.
func (c *compiler) signsIn(path string, client *Client) {
	app := client.Spec.App
	if app != nil && app.SAML != nil {
		c.samlGrants(path, client)
		return
	}
	for i, g := range client.Spec.Grants {
		at := fmt.Sprintf("%s.grants[%d]", path, i)
		signIn := Grant(g) == GrantCode || Grant(g) == GrantRefresh
		switch {
		case Grant(g) == GrantSAMLSSO:
			c.fault(at, "declare its saml table, or remove the grant", "the grant %s is for SAML applications", g)
		case signIn && app == nil:
			c.fault(at, "register its redirect_uris, or remove the grant", "the grant %s is for applications that people sign in to", g)
		case app != nil && app.Public && !signIn:
			c.fault(at, "remove it, or give the client a credential", "a public client cannot prove who it is: it may not use %s", g)
		}
	}
	if app != nil && !client.MayUse(GrantCode) {
		c.fault(path+".grants", "add authorization_code", "an application without the grant %s signs nobody in", GrantCode)
	}
}

// app checks how a client signs people in, and fills in the defaults.
func (c *compiler) app(path string, client *Client) {
	a := client.Spec.App
	if a.SAML != nil {
		c.samlApp(path, client)
	} else if len(a.RedirectURIs) == 0 {
		c.fault(path+".redirect_uris", "list the URLs of the application that answers go to", "an application has no redirect_uris")
	}
	c.redirects(path+".redirect_uris", a.RedirectURIs, a.Public)
	c.redirects(path+".post_logout_redirect_uris", a.PostLogoutURIs, a.Public)
	if a.PKCEOptional && a.Public {
		c.fault(path+".pkce", "remove it", "a public client has nothing but PKCE to prove that a code is its own (RFC 8252 §6)")
	}
	for i, id := range a.Trusts {
		at := fmt.Sprintf("%s.trusts[%d]", path, i)
		t, ok := c.spec.Trusts[id]
		if !ok {
			t, ok = c.spec.Federations[id]
		}
		if !ok {
			c.fault(at, "declare the trust or correct the name", "there is no trust %q", id)
		} else if t.Login == nil {
			c.fault(at, fmt.Sprintf("declare trust.%s.login, or remove it here", key(id)), "nobody signs in with trust %q", id)
		}
	}
	c.duplicates(path+".trusts", a.Trusts)
	if a.IDTokenAlg == "" {
		a.IDTokenAlg = IDTokenAlgs[0]
	}
	if !slices.Contains(IDTokenAlgs, a.IDTokenAlg) {
		c.fault(path+".id_token.alg", fmt.Sprintf("use one of %s", show(IDTokenAlgs)), "the algorithm %q is not built", a.IDTokenAlg)
	}
	if a.Sector != "" && !idSyntax.MatchString(a.Sector) {
		c.fault(path+".sector", "use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit", "%q is not the name of a sector", a.Sector)
	}
	c.appURLs(path, a)
	c.refresh(path, client)
}

// redirects checks a list of URIs that browsers may be sent to.
func (c *compiler) redirects(path string, uris []string, public bool) {
	for i, uri := range uris {
		if err := redirectFault(uri, public); err != nil {
			c.fault(fmt.Sprintf("%s[%d]", path, i), "write an https URL, http://127.0.0.1/… , or for a public client a scheme of its own such as com.example.app:/done",
				"the URI %q cannot be used: %v", uri, err)
		}
	}
	c.duplicates(path, uris)
}

// appURLs checks where an application is told of logouts, and from where browsers may call us for it.
func (c *compiler) appURLs(path string, a *AppSpec) {
	const remedy = "write an https URL of the application"
	for _, u := range []struct{ key, uri string }{
		{"backchannel_logout_uri", a.BackchannelLogoutURI}, {"frontchannel_logout_uri", a.FrontchannelLogoutURI},
	} {
		if u.uri == "" {
			continue
		}
		if err := webFault(u.uri, c.spec.Dev); err != nil {
			c.fault(path+"."+u.key, remedy, "the URI %q cannot be used: %v", u.uri, err)
		}
	}
	// OpenID Connect Front-Channel Logout §2: "The domain, port, and scheme of this URL MUST be the same as that of a registered
	// Redirection URI value."
	same := func(uri string) bool { return originOf(uri) == originOf(a.FrontchannelLogoutURI) }
	if a.FrontchannelLogoutURI != "" && !slices.ContainsFunc(a.RedirectURIs, same) {
		c.fault(path+".frontchannel_logout_uri", "use the scheme, host and port of one of the redirect_uris",
			"the URI %q has another origin than every redirect URI", a.FrontchannelLogoutURI)
	}
	for i, origin := range a.Origins {
		if err := originFault(origin, c.spec.Dev); err != nil {
			c.fault(fmt.Sprintf("%s.origins[%d]", path, i), `write it as "https://app.example"`, "the origin %q cannot be used: %v", origin, err)
		}
	}
	c.duplicates(path+".origins", a.Origins)
}

// refresh checks the bounds of refresh tokens, and fills in the defaults.
func (c *compiler) refresh(path string, client *Client) {
	a := client.Spec.App
	stated := a.RefreshLifetime != 0 || a.RefreshIdle != 0 || a.RefreshGrace != nil
	if stated && !client.MayUse(GrantRefresh) {
		c.fault(path+".grants", "add refresh_token, or remove the settings of refresh tokens", "the client states how long refresh tokens last and never gets one")
	}
	c.within(path+".refresh_lifetime", a.RefreshLifetime, MaxSession)
	c.within(path+".refresh_idle", a.RefreshIdle, MaxSession)
	if a.RefreshLifetime == 0 {
		a.RefreshLifetime = DefaultRefreshLifetime
	}
	if a.RefreshIdle == 0 {
		a.RefreshIdle = DefaultRefreshIdle
	}
	if a.RefreshGrace == nil {
		grace := DefaultRefreshGrace
		a.RefreshGrace = &grace
	}
	if g := *a.RefreshGrace; g < 0 || g > MaxRefreshGrace {
		c.fault(path+".refresh_grace", fmt.Sprintf("use at most %v; 0 is off", MaxRefreshGrace), "the grace of %v cannot be used", g)
	}
}

// within checks a bound on time against the longest that makes sense; 0 means the default.
func (c *compiler) within(path string, d, most time.Duration) {
	if d < 0 || d > 0 && d < time.Second || d > most {
		c.fault(path, fmt.Sprintf("use at least 1s and at most %v", most), "the time of %v cannot be used", d)
	}
}
