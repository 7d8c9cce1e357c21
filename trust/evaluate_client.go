package trust

import (
	"fmt"
	"slices"
)

// clientMay: the client is known and enabled and its registration has the grant; the grant is one for such a
// credential. Without a client the foreign token is the credential, and only unauthenticated rules will count.
func (e *evaluation) clientMay() bool {
	if !slices.Contains(grants, e.q.Grant) {
		return e.refuse(ReasonGrantNotAllowed, "grant", "there is no grant %q", e.q.Grant)
	}
	if !e.q.Grant.takes(e.q.Subject.Credential) {
		return e.refuse(ReasonType, "grant", "the grant %s does not take a credential of type %s", e.q.Grant, e.q.Subject.Credential)
	}
	// Resolved here, because whether an own token's holder may present it depends on what is asked for.
	e.targets = e.resolve()
	if e.q.Client == "" && e.isLogin() {
		return e.refuse(ReasonClientRequired, "client", "people sign in to an application, and none is named")
	}
	if e.q.Client == "" {
		return e.pass("client", "not authenticated: the foreign token is the credential")
	}
	c, ok := e.reg.clients[e.q.Client]
	switch {
	case !ok:
		return e.refuse(ReasonClientUnknown, "client", "there is no client %q: declare it", e.q.Client)
	case c.Spec.Disabled:
		return e.refuse(ReasonClientUnknown, "client", "client %q is disabled: enable it", e.q.Client)
	case !c.MayUse(e.q.Grant):
		return e.refuse(ReasonGrantNotAllowed, "grant", "client %q may use the grants %s, not %q: add it to its registration",
			e.q.Client, show(c.Spec.Grants), e.q.Grant)
	}
	e.client = c
	return e.pass("client", c.ID)
}

// takes says which credentials a grant is for. RFC 7521 assertions come from elsewhere: our own tokens are
// exchanged by RFC 8693 only, under its rules for holders and chains.
func (g Grant) takes(c CredentialType) bool {
	switch g {
	case GrantTokenExchange:
		return c == CredentialJWT || c == CredentialIDToken || c == CredentialSAML2 || c == CredentialOwnToken
	case GrantJWTBearer:
		return c == CredentialJWT || c == CredentialIDToken
	case GrantSAML2Bearer:
		return c == CredentialSAML2
	case GrantClientCredentials:
		return c == CredentialClient
	case GrantCode, GrantRefresh, GrantSAMLSSO:
		return c == CredentialLogin
	}
	return false
}

// rulesFound: some rule of the trust names the client.
func (e *evaluation) rulesFound() bool {
	if e.home {
		return true
	}
	e.rules = e.reg.rulesOf(e.trust, e.q.Client)
	if e.q.Subject.Credential == CredentialClient {
		// A table maps scopes of a token, and a client that acts for itself has none.
		e.rules = slices.DeleteFunc(slices.Clone(e.rules), func(r *rule) bool { return r.table != nil })
	}
	if e.q.Explain {
		e.noteRules()
	}
	if len(e.rules) > 0 {
		return true
	}
	if e.client == nil {
		return e.refuse(ReasonClientRequired, "clients", "trust %q has no unauthenticated grant rule: authenticate the client, or add such a rule", e.trust.ID)
	}
	return e.refuse(ReasonNoRule, "clients", "trust %q has no grant rule for client %q: add the client to one", e.trust.ID, e.client.ID)
}

// noteRules says of every rule of the trust whether it is about this client.
func (e *evaluation) noteRules() {
	for _, r := range e.trust.rules {
		if r.signIn {
			continue // signInMay says what becomes of these
		}
		whom := "names " + show(r.clients)
		if r.unauthenticated {
			whom = "is for unauthenticated callers"
		}
		asked := fmt.Sprintf("client %q", e.q.Client)
		if e.client == nil {
			asked = "no client"
		}
		names := r.names(e.q.Client)
		if !r.members.concerns(e.trust.member) {
			whom, names = "is about other members of the federation", false
		} else if names && !slices.Contains(e.rules, r) {
			whom, names = "maps scopes of a token, which client credentials lack", false
		}
		e.note(r.name, "clients", names, whom+"; asked by "+asked)
	}
}
