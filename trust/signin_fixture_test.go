package trust

import "time"

// office is hmart with people: they sign in with the head office to the shop, an application of our own, which also asks for stock
// levels.
func office() Spec {
	s := hmart()
	s.Clients["shop"] = ClientSpec{
		Grants: []string{"token_exchange", "authorization_code", "refresh_token"},
		APIs:   map[string][]string{"warehouse": {"stock.read", "stock.order"}, "orders": {"order.read"}},
		App:    &AppSpec{FirstParty: true, RedirectURIs: []string{"https://shop.example/callback"}},
	}
	setTrust(&s, "hq", func(t *TrustSpec) { t.Login = &LoginSpec{Protocol: "oidc"} })
	addRule(&s, "hq", GrantSpec{Clients: []string{"shop"}, SignIn: true})
	addRule(&s, "hq", GrantSpec{Clients: []string{"shop"}, API: "warehouse", Scopes: []string{"stock.read"}})
	addRule(&s, Local, GrantSpec{Clients: []string{"shop"}, API: "warehouse", Scopes: []string{"stock.read"}})
	return s
}

// login signs kim in to the shop; office grants it.
func login() Request {
	q := foreign()
	q.Grant, q.Client, q.Audiences, q.Scopes = GrantCode, "shop", nil, []string{"openid", "profile"}
	s := &q.Subject
	s.Credential, s.SignedIn = CredentialLogin, true
	s.AuthTime, s.ACR, s.SessionID, s.Family = noon.Add(-2*time.Minute), "mfa", "up-1", "family-1"
	s.Expires = noon.Add(8 * time.Hour)
	return q
}

// stock signs kim in and asks for stock levels by scope alone.
func stock() Request {
	q := login()
	q.Scopes = []string{"openid", "stock.read"}
	return q
}

// refreshed is login again, later, with a refresh token.
func refreshed() Request {
	q := login()
	q.Grant, q.Scopes = GrantRefresh, []string{"openid", "profile", "offline_access"}
	return q
}

// onward exchanges the access token that a sign-in led to.
func onward() Request {
	q := own()
	q.Client, q.Subject.ClientID = "shop", "shop"
	q.Subject.SignedIn, q.Subject.Family, q.Subject.AuthTime, q.Subject.ACR = true, "family-1", noon.Add(-2*time.Minute), "mfa"
	return q
}

func setApp(s *Spec, id string, change func(*AppSpec)) {
	setClient(s, id, func(c *ClientSpec) {
		app := *c.App
		change(&app)
		c.App = &app
	})
}

// thirdParty makes the shop somebody else's.
func thirdParty(s situation) { setApp(s.spec, "shop", func(a *AppSpec) { a.FirstParty = false }) }

// setSignIn changes the sign-in rule of the head office.
func setSignIn(s *Spec, change func(*GrantSpec)) { change(&s.Trusts["hq"].Grants[1]) }

// reserve keeps scopes of the warehouse from third parties.
func reserve(s *Spec, scopes ...string) {
	api := s.APIs["warehouse"]
	api.Reserved = scopes
	s.APIs["warehouse"] = api
}
