package trust

import (
	"fmt"
	"slices"
)

// samlGrants: a SAML application gets assertions and no token, so no other grant is of use to it.
func (c *compiler) samlGrants(path string, client *Client) {
	if g := client.Spec.Grants; len(g) != 1 || Grant(g[0]) != GrantSAMLSSO {
		c.fault(path+".grants", "remove it: the grant of a SAML application is understood", "a SAML application may use the grant %s and no other", GrantSAMLSSO)
	}
}

// samlApp checks a SAML application. People are not asked for consent at one, so it has to be our own.
func (c *compiler) samlApp(path string, client *Client) {
	a := client.Spec.App
	c.samlOnly(path, client)
	at, s := path+".saml", a.SAML
	if err := nameFault(s.EntityID); err != nil {
		c.fault(at+".entity_id", "write the entityID of its metadata", "the entityID %q cannot be used: %v", s.EntityID, err)
	} else if other, taken := c.reg.byEntity[s.EntityID]; taken {
		c.fault(at+".entity_id", "keep one of the two", "%q is the entityID of client %q already", s.EntityID, other.ID)
	} else {
		c.reg.byEntity[s.EntityID] = client
	}
	if len(s.ACS) == 0 {
		c.fault(at+".acs", "list the URLs of its AssertionConsumerService for HTTP-POST", "a SAML application has no place that answers go to")
	}
	for i, uri := range s.ACS {
		if err := webFault(uri, c.spec.Dev); err != nil {
			c.fault(fmt.Sprintf("%s.acs[%d]", at, i), "write an https URL of the application", "the URI %q cannot be used: %v", uri, err)
		}
	}
	c.duplicates(at+".acs", s.ACS)
}

// samlOnly refuses what has no meaning at a SAML application, whose author believes that it does something.
func (c *compiler) samlOnly(path string, client *Client) {
	a := client.Spec.App
	for _, f := range []struct {
		key string
		set bool
	}{
		{"redirect_uris", len(a.RedirectURIs) > 0}, {"public", a.Public}, {"pkce", a.PKCEOptional}, {"id_token", a.IDTokenAlg != ""},
		{"post_logout_redirect_uris", len(a.PostLogoutURIs) > 0}, {"backchannel_logout_uri", a.BackchannelLogoutURI != ""},
		{"frontchannel_logout_uri", a.FrontchannelLogoutURI != ""}, {"origins", len(a.Origins) > 0}, {"apis", len(client.Spec.APIs) > 0},
		{"refresh_lifetime", a.RefreshLifetime != 0}, {"refresh_idle", a.RefreshIdle != 0}, {"refresh_grace", a.RefreshGrace != nil},
	} {
		if f.set {
			c.fault(path+"."+f.key, "remove it, or declare a client of its own for it", "a SAML application has no use for it")
		}
	}
	if !a.FirstParty {
		c.fault(path+".first_party", "write first_party = true, or let the application speak OpenID Connect",
			"people are not asked for consent at SAML applications, so that a third party's cannot be let in")
	}
}

// AnswersAt says whether a SAML application is answered at a URL. Nothing but the bytes counts (THREATS A42).
func (s *SAMLSpec) AnswersAt(url string) bool { return slices.Contains(s.ACS, url) }
