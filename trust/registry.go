package trust

import (
	"cmp"
	"maps"
	"slices"
)

// Trust is a compiled trust. Read-only.
type Trust struct {
	ID   string
	Spec TrustSpec // as given, defaults filled in

	subject  claimPath // Spec.Subject
	byNameID bool      // Spec.Subject was not given

	require []condition // sorted by claim path
	rules   []*rule     // in the order of Spec.Grants

	many   bool    // a federation: what its members are made after
	model  *Trust  // of a member: its federation
	member *Member // nil: it is configured by itself
}

// SubjectClaim finds the claim that names the subject; false if it is absent or null.
func (t *Trust) SubjectClaim(claims map[string]any) (any, bool) { return t.subject.find(claims) }

// ByNameID says whether an assertion's NameID names the subject, because the trust names no claim that does.
func (t *Trust) ByNameID() bool { return t.byNameID }

// SubOf makes our `sub` of a subject of the trust, named as its subject claim names it. Not for Local, whose subjects are
// clients (ClientSub) or have a sub already.
func (t *Trust) SubOf(value string) string { return DeriveSub(t.Spec.Domain, t.Spec.Subject, value) }

// Title is what people know the office as.
func (t *Trust) Title() string { return cmp.Or(t.Spec.Name, t.ID) }

// Client is a compiled client. Read-only.
type Client struct {
	ID   string
	Spec ClientSpec
}

// MayUse says whether the client's registration lists the grant.
func (c *Client) MayUse(g Grant) bool { return slices.Contains(c.Spec.Grants, string(g)) }

// Title is what people know the application as.
func (c *Client) Title() string { return cmp.Or(c.Spec.Name, c.ID) }

// API is a compiled API. Read-only.
type API struct {
	ID   string
	Spec APISpec // defaults filled in
}

// Words says what a scope means, by language; "" stands for every language that is not there. A scope that the API does not have is
// its own text.
func (a *API) Words(scope string) map[string]string {
	words := map[string]string{"": cmp.Or(a.Spec.Scopes[scope], scope)}
	maps.Copy(words, a.Spec.Words[scope])
	return words
}

// Registry is a compiled policy. It is immutable and safe for concurrent use. The zero value refuses everything.
type Registry struct {
	issuer  string
	trusts  map[string]*Trust
	clients map[string]*Client
	apis    map[string]*API

	byIssuer   map[string][]*Trust // live, foreign, sorted by ID
	byAudience map[string]*API     // configured audience
	byResource map[string]*API     // configured audience and listed URIs
	rules      map[ruleKey][]*rule // what Evaluate starts from: its cost depends on these few rules only
	signIns    map[ruleKey][]*rule // those with SignIn, which are in no other index
	logins     map[string][]*Trust // client_id → trusts whose people may sign in to it, sorted by ID
	byEntity   map[string]*Client  // SAML applications by entityID
	defined    map[string]bool     // scopes that any API defines
	userinfo   *API

	federations map[string]*Trust // by federation ID
	configured  map[string]bool   // issuers of trusts that are configured, disabled ones too
	directory   Directory
	members     func() []*Trust            // of the directory, live
	everyLogin  map[string]func() []*Trust // client_id → logins, and members; only with federations
}

// ruleKey finds the rules of a trust that name a client; client "" finds the unauthenticated ones.
type ruleKey struct{ trust, client string }

func newRegistry(issuer string) *Registry {
	return &Registry{
		issuer:     issuer,
		trusts:     map[string]*Trust{},
		clients:    map[string]*Client{},
		apis:       map[string]*API{},
		byIssuer:   map[string][]*Trust{},
		byAudience: map[string]*API{},
		byResource: map[string]*API{},
		rules:      map[ruleKey][]*rule{},
		signIns:    map[ruleKey][]*rule{},
		logins:     map[string][]*Trust{},
		byEntity:   map[string]*Client{},
		defined:    map[string]bool{},
		userinfo:   userInfoAPI(issuer),

		federations: map[string]*Trust{},
		configured:  map[string]bool{},
		directory:   nobody{},
	}
}

// Issuer returns our issuer identifier.
func (r *Registry) Issuer() string { return r.issuer }

// TokenEndpoint is the URL of our token endpoint.
func (r *Registry) TokenEndpoint() string { return r.issuer + TokenPath }

// Trust looks a trust up by ID. Disabled ones are found: their Spec says so. Local is always found. Members of federations are found while the
// directory knows them.
func (r *Registry) Trust(id string) (*Trust, bool) {
	if t, ok := r.trusts[id]; ok {
		return r.refined(t), true
	}
	if len(r.federations) == 0 {
		return nil, false
	}
	m, ok := r.directory.ByID(id)
	if !ok {
		return nil, false
	}
	t := r.member(m)
	return t, t != nil
}

// Client looks a client up by client_id. Disabled ones are found: their Spec says so.
func (r *Registry) Client(id string) (*Client, bool) {
	c, ok := r.clients[id]
	return c, ok
}

// ByEntity returns the SAML application with exactly this entityID, if it is live.
func (r *Registry) ByEntity(entityID string) (*Client, bool) {
	c, ok := r.byEntity[entityID]
	return c, ok && !c.Spec.Disabled
}

// API looks an API up by ID.
func (r *Registry) API(id string) (*API, bool) {
	a, ok := r.apis[id]
	return a, ok
}

// TrustIDs lists the IDs of all configured trusts, sorted; Local and disabled ones are among them. Members has those of federations.
func (r *Registry) TrustIDs() []string { return slices.Sorted(maps.Keys(r.trusts)) }

// ClientIDs lists the IDs of all clients, sorted; disabled ones are among them.
func (r *Registry) ClientIDs() []string { return slices.Sorted(maps.Keys(r.clients)) }

// APIIDs lists the IDs of all APIs, sorted.
func (r *Registry) APIIDs() []string { return slices.Sorted(maps.Keys(r.apis)) }

// ByIssuer returns the live trusts with exactly this issuer, sorted by ID. Never Local. Read-only. Several share
// an issuer only if their uses do not overlap or their keys come from one source; the verifier then takes the
// first that admits the client.
func (r *Registry) ByIssuer(iss string) []*Trust {
	if len(r.federations) == 0 {
		return r.byIssuer[iss]
	}
	if r.configured[iss] {
		list := slices.Clone(r.byIssuer[iss])
		for i, t := range list {
			list[i] = r.refined(t)
		}
		return list
	}
	if m, ok := r.directory.ByIssuer(iss); ok {
		if t := r.member(m); t != nil && !t.Spec.Disabled {
			return []*Trust{t}
		}
	}
	return nil
}

// ByAudience returns the API whose configured audience is exactly aud.
func (r *Registry) ByAudience(aud string) (*API, bool) {
	a, ok := r.byAudience[aud]
	return a, ok
}

// UserInfoAPI returns the broker itself as an API. It is in no list of APIs: exchanges cannot name it. Nil only of the zero Registry.
func (r *Registry) UserInfoAPI() *API { return r.userinfo }

// Logins returns the live trusts whose people may sign in to a client: with Login, allowed by the client's Trusts, and with a SignIn
// rule that names it; sorted by ID. None of a client that is unknown, disabled or no application. Read-only. Whether a person of
// theirs may is for Evaluate, when they have signed in.
func (r *Registry) Logins(client string) []*Trust {
	if !r.clientLive(client) {
		return nil
	}
	if list, ok := r.everyLogin[client]; ok {
		return list()
	}
	return r.logins[client]
}

// Admits says whether any grant rule of a live trust names the client ("" = an unauthenticated rule), which must
// not be disabled. Endpoints ask it before any key of the trust is fetched; Evaluate asks again.
func (r *Registry) Admits(trustID, clientID string) bool {
	t, ok := r.Trust(trustID)
	if !ok || t.Spec.Disabled || clientID != "" && !r.clientLive(clientID) {
		return false
	}
	return len(r.rulesOf(t, clientID)) > 0
}

// trustLive says whether a trust exists and is enabled.
func (r *Registry) trustLive(id string) bool {
	t, ok := r.Trust(id)
	return ok && !t.Spec.Disabled
}

// clientLive says whether a client exists and is enabled.
func (r *Registry) clientLive(id string) bool {
	c, ok := r.clients[id]
	return ok && !c.Spec.Disabled
}
