package authflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"apostille/broker/chooser"
	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// Begin lets the browser sign in: it answers with the office's own page if there is one office in question, else with the picker.
// The caller has found that no session will do.
func (f *Flow) Begin(w http.ResponseWriter, r *http.Request, q Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := f.begin(w, r, q); err != nil {
		f.refuse(w, r, err)
	}
}

func (f *Flow) begin(w http.ResponseWriter, r *http.Request, q Request) *refusal {
	if err := q.check(f.base()); err != nil {
		return &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: err.Error()}
	}
	offices := f.offices(&q)
	if len(offices) == 0 {
		return &refusal{kind: NoOffice, reason: trust.ReasonSignIn, detail: "no office may sign in to it", cancel: q.Cancel}
	}
	if direct := f.Chooser().Rank(f.query(r, q, offices)).Direct; slices.Contains(offices, direct) {
		return f.start(w, r, q, direct)
	}
	sealed, err := f.seal(q)
	if err != nil {
		return &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: err.Error(), cancel: q.Cancel}
	}
	http.Redirect(w, r, f.pickerURL(sealed), http.StatusSeeOther)
	return nil
}

// offices lists the offices in question, as the policy is now. A request that names all of them names none: with thousands of
// offices it would not fit into a URL.
func (f *Flow) offices(q *Request) []string {
	live := f.Registry().Logins(q.Client)
	list := make([]string, 0, len(live))
	wanted := make(map[string]bool, len(q.Trusts))
	for _, id := range q.Trusts {
		wanted[id] = true
	}
	for _, t := range live {
		if len(wanted) == 0 || wanted[t.ID] {
			list = append(list, t.ID)
		}
	}
	if len(list) == len(live) {
		q.Trusts = nil
	}
	return list
}

// query asks the chooser on behalf of a browser.
func (f *Flow) query(r *http.Request, q Request, offices []string) chooser.Query {
	return chooser.Query{Allowed: offices, Hint: q.Hint, LoginHint: q.LoginHint, Remembered: f.remembered(r), Select: q.Select}
}

// start sends the browser to an office, and remembers the request until it returns.
func (f *Flow) start(w http.ResponseWriter, r *http.Request, q Request, office string) *refusal {
	fail := func(x *refusal) *refusal { return f.from(x, q, office) }
	if !f.Limit(f.Remote(r)) {
		return fail(&refusal{kind: Busy, reason: trust.ReasonRateLimited, detail: "too many logins started from this address"})
	}
	t, ok := f.live(office)
	if !ok {
		return fail(&refusal{kind: Gone, reason: trust.ReasonTrustNotLive, detail: "not an office any more"})
	}
	handle, begun := mint.NewSecret(), f.Now()
	started, err := f.ask(r.Context(), t, handle, askFor(q, t))
	if err != nil {
		return fail(upstreamRefusal(err))
	}
	in := login{Trust: office, Request: q, Secret: started.Secret, Browser: f.Sessions.Browser(w, r), Begun: begun}
	err = f.put(r.Context(), kindLogin, handle, in, begun.Add(loginTTL))
	switch {
	case errors.Is(err, store.ErrInvalid): // whoever wrote the request; the store is well
		return &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "a request that is too long", client: q.Client, cancel: q.Cancel}
	case err != nil:
		return fail(&refusal{kind: Unavailable, reason: trust.ReasonStore, detail: "the login could not be stored", cause: err})
	}
	f.setWayBack(w, handle, q)
	if started.Form != nil {
		f.Pages.Send(w, r, Sending{Office: t.Title(), Action: started.URL, Fields: started.Form, Locales: q.Locales})
		return nil
	}
	http.Redirect(w, r, started.URL, http.StatusSeeOther)
	return nil
}

// ask calls the provider; a panic of a library is an error like others.
func (f *Flow) ask(ctx context.Context, t *trust.Trust, handle string, ask upstream.Ask) (s upstream.Start, err error) {
	defer recovered(&err)
	s, err = f.Provider.Begin(ctx, t, handle, f.redirect(t), ask)
	if err == nil && (s.URL == "" || len(s.Secret) > maxSecret) {
		err = fmt.Errorf("the provider of %s began a login without URL or with a secret of %d bytes", t.ID, len(s.Secret))
	}
	return s, err
}

// askFor is what is asked of an office. A login hint that is an address of another office's domain is not shown to it.
func askFor(q Request, t *trust.Trust) upstream.Ask {
	ask := q.Ask
	_, domain, isAddress := strings.Cut(ask.LoginHint, "@")
	if isAddress && len(t.Spec.Login.EmailDomains) > 0 && !slices.Contains(t.Spec.Login.EmailDomains, strings.ToLower(domain)) {
		ask.LoginHint = ""
	}
	return ask
}

// live finds an office that people may sign in with now.
func (f *Flow) live(id string) (*trust.Trust, bool) {
	t, ok := f.Registry().Trust(id)
	return t, ok && !t.Spec.Disabled && t.Spec.Login != nil
}

// redirect is our callback for a trust: one each, so that an answer says whose it claims to be (THREATS A65). A SAML assertion says so by
// itself, and metadata name one place.
func (f *Flow) redirect(t *trust.Trust) string {
	if t.Spec.Login.Protocol == trust.ProtocolSAML {
		return f.consumer()
	}
	return strings.TrimSuffix(f.Issuer, "/") + "/login/callback/" + url.PathEscape(t.ID)
}

// consumer is our assertion consumer service.
func (f *Flow) consumer() string { return strings.TrimSuffix(f.Issuer, "/") + "/saml/acs" }

// pickerURL is the picker's address for a sealed request.
func (f *Flow) pickerURL(sealed string) string {
	return f.base() + "/login?r=" + url.QueryEscape(sealed)
}

// upstreamRefusal is an error of a Provider as a refusal.
func upstreamRefusal(err error) *refusal {
	var e *upstream.Error
	if !errors.As(err, &e) {
		return &refusal{kind: Failed, reason: trust.ReasonPanic, detail: "the provider failed", cause: err}
	}
	x := &refusal{kind: Failed, reason: e.Reason, detail: e.Detail, cause: e}
	switch {
	case e.Reason == trust.ReasonUpstreamDown, e.Reason == trust.ReasonKeysUnavailable:
		x.kind = Down
	case e.Reason == trust.ReasonUpstreamError && e.Code == "access_denied": // RFC 6749 §4.1.2.1
		x.kind = Denied
	case e.Reason == trust.ReasonUpstreamError && (e.Code == "temporarily_unavailable" || e.Code == "server_error"):
		x.kind = Down
	}
	return x
}
