package authorize

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"apostille/broker/audit"
	"apostille/broker/page"
	"apostille/broker/store"
)

// How the consent page's form comes back.
const (
	consentPurpose = "consent" // what it is sealed for
	consentTTL     = 30 * time.Minute
	maxConsent     = 32 << 10 // bytes of the form
)

// waiting is a request that waits in the browser for a person's word. It is bound to the browser and to the identity that was asked:
// a form that somebody else was shown is worth nothing here (THREATS A108).
type waiting struct {
	Params  string              `json:"p"`
	Pushed  string              `json:"u,omitempty"`
	Browser []byte              `json:"b"`
	Session string              `json:"s"`
	Trust   string              `json:"t"`
	Sub     string              `json:"i"`
	Offered map[string][]string `json:"o,omitempty"`
	Since   time.Time           `json:"at"`
}

// ask shows the consent page.
func (e *Endpoint) ask(w http.ResponseWriter, r *http.Request, c *call, ask *question) error {
	q := c.request
	plain, err := json.Marshal(waiting{
		Params: c.params.encode(read), Pushed: q.pushed, Browser: e.Sessions.Browser(w, r), Session: ask.Who.Session,
		Trust: ask.Who.Subject.Trust, Sub: ask.Who.Subject.Sub, Offered: ask.Offered, Since: c.started,
	})
	if err != nil {
		return fault("the request could not be written", err)
	}
	e.observe(c, "consent")
	e.Pages.Write(w, r, page.Page{
		Template: consentTemplate, Title: "authorize.consent.title", TitleArgs: []any{q.client.Title()},
		Locales: q.Locales, Narrow: true, FormAction: []string{q.origin()},
		Data: c.consentPage(ask, e.Base+ConsentPath, e.Box.Seal(consentPurpose, plain)),
	})
	return nil
}

// Consent answers the consent page's form: POST below the issuer at ConsentPath.
func (e *Endpoint) Consent() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.answer(w, r, func(c *call) (next, error) { return e.consent(c, w, r) })
	})
}

// consent is the numbered path of a person's word.
func (e *Endpoint) consent(c *call, w http.ResponseWriter, r *http.Request) (next, error) {
	// 1. A form of our own page, in the browser that was shown it.
	form, err := e.consentForm(c, w, r)
	if err != nil {
		return next{}, err
	}
	in, err := e.unseal(c, form.get("r"))
	if err != nil {
		return next{}, err
	}
	if !e.Sessions.SameBrowser(r, in.Browser) {
		return next{}, expired("the form belongs to another browser")
	}
	// 2. The request, judged again: the policy may have changed while the page lay open.
	v, p := readValues(in.Params, maxPushed, "resource")
	if p != nil {
		return next{}, p
	}
	if err := e.judge(r.Context(), c, v, in.Pushed); err != nil {
		return next{}, err
	}
	// 3. The person who was asked. If they are not signed in any more, everything begins anew.
	who, err := e.asked(c, r, in)
	if err != nil || who == nil {
		return next{Self: c.request.selfReturn}, err
	}
	c.signedIn(who)
	// 4. Their word.
	if form.get("decision") != "allow" {
		_ = e.usePushed(r.Context(), c.request, false) // it is over either way, and ends by itself
		return next{}, denied("the person did not consent")
	}
	return e.allow(r.Context(), c, who, in.Offered, form.all["scope"])
}

// asked finds the person whom the page asked; nil if they are not signed in any more, the application does not take them any more, their
// claims are too old by now, or they have signed in again in a weaker way than the request wants.
func (e *Endpoint) asked(c *call, r *http.Request, in waiting) (*identity, error) {
	current, err := e.Sessions.Current(r)
	if err != nil {
		return nil, unavailable("the session could not be read", err)
	}
	s := scene{Logins: c.policy.Registry.Logins(c.request.client.ID), Session: current}
	who := s.identity(in.Trust)
	if who == nil || who.Session != in.Session || who.Subject.Sub != in.Sub || !who.vouched(c.started) || !c.request.strong(who) {
		return nil, nil
	}
	return who, nil
}

// allow remembers what a person allowed and makes the code. A form that is sent twice gives two codes for the one request, and the
// browser follows the last: harmless, so a pushed request may come again (RFC 9126 §4 allows it for a page that is reloaded).
func (e *Endpoint) allow(ctx context.Context, c *call, who *identity, offered map[string][]string, ticked []string) (next, error) {
	q := c.request
	standing := e.Standings.Standing(ctx, who.Subject, q.client.ID)
	chosen := choose(offered, ticked)
	if q.client.ThirdParty() { // what was allowed another time and is not ticked now stays allowed, but is not meant now
		standing.Consented = chosen
	}
	d := c.evaluate(who, standing)
	switch {
	case !d.Granted:
		return next{}, refusedBy(d)
	case len(offered) > 0 && len(d.Identity)+len(d.Scopes) == 0:
		return next{}, denied("nothing was ticked")
	}
	if q.client.ThirdParty() {
		if err := e.remember(ctx, c, who, chosen); err != nil {
			return next{}, err
		}
	}
	return e.issue(ctx, c, grant{Who: who, Decision: d})
}

// remember adds what was allowed now to what was allowed before. It is recorded before it counts.
func (e *Endpoint) remember(ctx context.Context, c *call, who *identity, chosen map[string][]string) error {
	sub, client := who.Subject.Sub, c.request.client.ID
	before, _, err := e.Consents.Consent(ctx, sub, client)
	if err != nil {
		return unavailable("the consent could not be read", err)
	}
	merged := merge(before.Scopes, chosen)
	ev := c.event
	ev.Event = audit.EventConsentGiven
	for _, api := range slices.Sorted(maps.Keys(chosen)) {
		ev.Granted = append(ev.Granted, chosen[api]...)
	}
	if err := e.Audit.Record(ctx, &ev); err != nil {
		return unrecorded(err)
	}
	if err := e.Consents.PutConsent(ctx, store.Consent{Sub: sub, Client: client, Scopes: merged, Given: c.started}); err != nil {
		return unavailable("the consent could not be stored", err)
	}
	return nil
}

// merge is the union of two consents; neither is changed.
func merge(a, b map[string][]string) map[string][]string {
	out := make(map[string][]string, len(a)+len(b))
	for _, m := range []map[string][]string{a, b} {
		for api, scopes := range m {
			list := slices.Concat(out[api], scopes)
			slices.Sort(list)
			out[api] = slices.Compact(list)
		}
	}
	return out
}
