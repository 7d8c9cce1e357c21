package main

import (
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"apostille/broker"
	"apostille/broker/account"
	"apostille/broker/authflow"
	"apostille/broker/authorize"
	"apostille/broker/chooser"
	"apostille/broker/config"
	"apostille/broker/family"
	"apostille/broker/introspect"
	"apostille/broker/logout"
	"apostille/broker/mint"
	"apostille/broker/page"
	"apostille/broker/samlidp"
	"apostille/broker/seal"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/broker/token"
	"apostille/broker/userinfo"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream"
	"apostille/upstream/fetch"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"
)

// Labels of secrets that are derived from the key file. They never change: what was sealed must open after an upgrade, and people keep
// their pairwise subjects.
const (
	sealLabel     = "seal"
	pairwiseLabel = "pairwise-v1"
)

// signIn are the parts of signing people in that live as long as the process.
type signIn struct {
	party     *oidc.RelyingParty
	saml      *saml.ServiceProvider
	box       *seal.Box
	pages     *page.Renderer
	cookies   session.Cookies
	sessions  *session.Manager
	families  *family.Families
	standings *token.Known
	logos     *chooser.Logos
	minter    *mint.Minter
	tell      *logout.Deliveries
}

// newSignIn makes them.
func (s *server) newSignIn(cfg *config.Config) (*signIn, error) {
	path := basePath(cfg.Issuer)
	in := &signIn{box: seal.New(s.kek.Derive(sealLabel)), cookies: session.Cookies{Secure: strings.HasPrefix(cfg.Issuer, "https:")}}
	var err error
	in.pages, err = page.New(page.Options{
		Brand: cfg.Login.Name, Contact: cfg.Login.Contact, Base: path, Language: cfg.Login.Language, Log: s.log,
		Messages: []fs.FS{chooser.Files, authflow.Messages, authorize.Messages, logout.Messages, account.Messages, samlidp.Messages},
	})
	if err != nil {
		return nil, err
	}
	in.party = &oidc.RelyingParty{
		Configs: func(id string) (oidc.LoginConfig, bool) { c, ok := s.config.Load().Logins[id]; return c, ok },
		Keys:    s.keys, Client: s.guard.Client, Sign: s.sign, Now: time.Now, Log: s.log,
	}
	if in.saml, err = s.newSAML(cfg); err != nil {
		return nil, err
	}
	in.minter = &mint.Minter{Issuer: cfg.Issuer, Keys: s.ring, Salt: s.salt}
	in.tell = &logout.Deliveries{
		Store: s.store, Registry: func() logout.Registry { return s.policy.Load().Registry }, Minter: in.minter,
		Client: s.guard.Client(nil, true), Now: time.Now, Log: s.log,
	}
	in.sessions = &session.Manager{
		Store: s.store, Cookies: in.cookies, Idle: cfg.Login.SessionIdle, Max: cfg.Login.SessionMax, Now: time.Now,
		Remote: remote(cfg.Listener.Behind), Log: s.log, Box: in.box, Pending: s.store,
		Replaced: func(ctx context.Context, e session.Ended) { s.ended(ctx, e.Sessions, e.Families) },
	}
	in.families = &family.Families{Store: s.store, Sessions: s.store, Claims: in.party, Sources: s.store, Box: in.box, Now: time.Now}
	in.standings = &token.Known{
		Marks: s.marks, Revocations: s.store, Consents: s.store, FirstParty: s.firstParty, Log: s.log,
	}
	in.logos = chooser.NewLogos(chooser.LogoOptions{Base: path, Find: s.logo, Log: s.log,
		Fetch: func(ctx context.Context, link string) ([]byte, http.Header, error) {
			return fetch.Get(ctx, s.guard.Client(nil, configuredLogo(s.config.Load(), link)), link, "image/png", "image/jpeg", "image/webp")
		},
	})
	return in, nil
}

// logo finds the URL of a trust's logo.
func (s *server) logo(trustID string) (string, bool) {
	t, ok := s.policy.Load().Registry.Trust(trustID)
	if !ok || t.Spec.Disabled || t.Spec.Login == nil || t.Spec.Login.Logo == "" {
		return "", false
	}
	return t.Spec.Login.Logo, true
}

// ended has applications told of what ended. They are signed out here whether that succeeds or not.
func (s *server) ended(ctx context.Context, sessions []store.Session, families []store.Family) {
	if _, err := s.signIn.tell.Ended(ctx, sessions, families); err != nil {
		s.log.Error("logout tokens could not be queued", "error", err)
	}
}

// sign signs what proves us to an upstream, with a key that our JWK Set publishes.
func (s *server) sign(alg jose.Alg, typ string, claims []byte) (string, error) {
	key, err := s.ring.Signer(alg)
	if err != nil {
		return "", err
	}
	return jose.Sign(key.Alg, key.Kid, typ, claims, key.Key)
}

// offices is the picker of one generation of the configuration.
type offices struct {
	*chooser.Index
	*chooser.Pages
}

// newOffices indexes the trusts that people sign in with, members of federations among them.
func newOffices(reg *trust.Registry, pages *chooser.Pages) *offices {
	var list []chooser.Office
	add := func(t *trust.Trust) {
		if l := t.Spec.Login; l != nil && !t.Spec.Disabled {
			list = append(list, chooser.Office{
				ID: t.ID, Name: t.Title(), Issuer: t.Spec.Issuer, Domains: l.EmailDomains, Keywords: l.Keywords, Logo: l.Logo, Hidden: l.Hidden,
			})
		}
	}
	for _, id := range reg.TrustIDs() {
		t, _ := reg.Trust(id)
		add(t)
	}
	for _, t := range reg.Members() {
		add(t)
	}
	return &offices{Index: chooser.NewIndex(list), Pages: pages}
}

// mount adds what people see to the parts of the broker.
func (s *server) mount(cfg *config.Config, d *broker.Deps, endpoint *token.Endpoint) {
	in := s.signIn
	flow := s.flow(cfg)
	auth := &authorize.Endpoint{
		Policy: func() authorize.Policy {
			p := s.policy.Load()
			return authorize.Policy{Registry: p.Registry, Credentials: p.Credentials}
		},
		Base: basePath(cfg.Issuer), Sessions: in.sessions, Logins: flow, Standings: in.standings, Consents: s.store, Codes: in.families,
		Requests: s.store, Box: in.box, Pages: in.pages, Keys: s.ring, Pairwise: s.pairwise, Audit: s.recent, Sampled: s.strangers,
		Remote: endpoint.Remote, Observer: s.metrics, Now: time.Now, Log: s.log,
	}
	d.Authorize, d.PAR = auth, auth.Pushed(endpoint.Clients, s.allowIP)
	d.UserInfo = &userinfo.Endpoint{
		Policy: s.policy.Load, Verifier: s.verifier, Standings: in.standings, Families: s.store, Minter: endpoint.Minter, Gate: endpoint.Gate,
		Now: time.Now, Log: s.log, MaxBody: cfg.Listener.MaxBody,
	}
	out := &logout.Endpoint{
		Registry: func() logout.Registry { return s.policy.Load().Registry }, Base: basePath(cfg.Issuer), Sessions: in.sessions, Keys: s.ring,
		Offices: leaving{in.party, in.saml}, Box: in.box, Pages: in.pages, Tell: in.tell, Audit: s.recent, Remote: endpoint.Remote, Now: time.Now, Log: s.log,
	}
	d.EndSession = out
	look := &introspect.Endpoint{
		Policy: s.policy.Load, Clients: endpoint.Clients, Verifier: s.verifier, Standings: in.standings, Store: s.store, Minter: in.minter,
		Gate: endpoint.Gate, Audit: s.recent, Remote: endpoint.Remote, Now: time.Now, Log: s.log, MaxBody: cfg.Listener.MaxBody,
	}
	d.Introspect, d.Revoke = look, look.Revoke()
	mine := &account.Endpoint{
		Registry: func() account.Registry { return s.policy.Load().Registry }, Base: basePath(cfg.Issuer), Sessions: in.sessions, Store: s.store,
		Recent: s.recent, Pages: in.pages, Ended: s.ended, Audit: s.recent, Remote: endpoint.Remote, Now: time.Now, Log: s.log,
	}
	d.Missing = in.pages.Missing()
	for _, r := range flow.Routes() {
		d.Pages = append(d.Pages, broker.Page(r))
	}
	idp := s.identityProvider(cfg, flow, out)
	d.Pages = append(d.Pages,
		broker.Page{Pattern: samlidp.SSOPath, Handler: idp.SSO()},
		broker.Page{Pattern: "GET " + samlidp.ResumePath, Handler: idp.Resume()},
		broker.Page{Pattern: samlidp.LogoutPath, Handler: idp.Logout()},
		broker.Page{Pattern: "GET " + samlidp.LeavePath, Handler: idp.Leave()},
		broker.Page{Pattern: "GET " + samlidp.MetadataPath, Handler: idp.Metadata()},
		broker.Page{Pattern: "POST " + authorize.ConsentPath, Handler: auth.Consent()},
		broker.Page{Pattern: "POST " + logout.ConfirmPath, Handler: out.Confirm()},
		broker.Page{Pattern: "GET " + logout.ReportPath, Handler: out.Report()},
		broker.Page{Pattern: "GET /{$}", Handler: http.RedirectHandler(basePath(cfg.Issuer)+account.Path, http.StatusSeeOther)},
		broker.Page{Pattern: "GET " + account.Path, Handler: mine},
		broker.Page{Pattern: "POST " + account.EndPath, Handler: mine.End()},
		broker.Page{Pattern: "POST " + account.AppsPath, Handler: mine.Apps()},
		broker.Page{Pattern: "GET /login/logo/{trust}", Handler: in.logos},
		broker.Page{Pattern: "GET /assets/{name}", Handler: in.pages.Assets()},
	)
}

// flow makes the logins.
func (s *server) flow(cfg *config.Config) *authflow.Flow {
	in := s.signIn
	return &authflow.Flow{
		Issuer: cfg.Issuer, Registry: func() authflow.Registry { return s.policy.Load().Registry },
		Provider: upstream.Protocols{trust.ProtocolOIDC: in.party, trust.ProtocolSAML: in.saml}, Logout: in.party, Front: in.saml, Metadata: in.saml,
		Sessions: in.sessions, Pending: s.store, Replay: s.store, Ender: s.store,
		Chooser: func() authflow.Chooser { return s.offices.Load() },
		Pages:   &authflow.FailurePages{Writer: in.pages, FormAction: formAction(cfg.Dev)},
		Box:     in.box, Cookies: in.cookies, Remember: cfg.Login.Remember, Audit: s.recent, Sampled: s.strangers,
		Remote: remote(cfg.Listener.Behind), Limit: s.allowIP, Messages: token.NewGate(4 * runtime.GOMAXPROCS(0)), Ended: s.ended, Now: time.Now, Log: s.log,
	}
}

// allowIP says whether an address may ask again, by the limits of the token endpoint: one budget for all that a stranger can cause.
func (s *server) allowIP(ip string) bool { return s.policy.Load().Limits.AllowIP(ip, time.Now()) }

// pairwise is what an application of a sector calls a person.
func (s *server) pairwise(sector, sub string) string { return trust.PairwiseSub(s.salt, sector, sub) }

func basePath(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil { // it was compiled
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// formAction lists where offices may be, which choosing one leads to.
func formAction(dev bool) []string {
	list := []string{"https:"}
	if dev {
		list = append(list, "http:")
	}
	return slices.Clip(list)
}
