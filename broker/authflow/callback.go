package authflow

import (
	"net/http"

	"apostille/trust"
)

// callback is GET /login/callback/{trust}: the browser is back from the office.
func (f *Flow) callback(w http.ResponseWriter, r *http.Request) *refusal {
	p, x := queryOf(r)
	if x != nil {
		return x
	}
	if _, ok := f.speaks(r.PathValue("trust"), trust.ProtocolSAML); ok { // its answers are posted, never in a URL (SAML Profiles 2.0 §4.1.2)
		return mixedUp(login{})
	}
	return f.finish(w, r, hop{Trust: r.PathValue("trust"), State: p.Get("state"), Params: p})
}

// posted is POST /login/callback/{trust}: the office's page posted its answer (OAuth 2.0 Form Post Response Mode §2). A browser sends
// no Lax cookie with a POST from another site, so nothing says yet whose answer this is: it is laid aside, and the browser is sent
// to fetch it with its cookies. The login itself stays untouched, for whoever posts this may be anybody.
func (f *Flow) posted(w http.ResponseWriter, r *http.Request) *refusal {
	// One state is enough to post as many answers as one likes, and each is kept (THREATS A120).
	if !f.Limit(f.Remote(r)) {
		return &refusal{kind: Busy, reason: trust.ReasonRateLimited, detail: "too many answers posted from this address"}
	}
	p, x := formOf(w, r)
	if x != nil {
		return x
	}
	var in login
	ok, err := f.peek(r.Context(), kindLogin, p.Get("state"), &in)
	switch {
	case err != nil:
		return storeRefusal(err)
	case !ok:
		return f.over(r, p.Get("state"))
	}
	t, ok := f.speaks(in.Trust, trust.ProtocolOIDC)
	if !ok || in.Trust != r.PathValue("trust") {
		return mixedUp(in)
	}
	return f.layAside(w, r, t, hop{Trust: in.Trust, State: p.Get("state"), Params: p}, in)
}

// claim finds the login of an answer and takes it: only in the browser that began it, only at the callback of the office it was
// begun with, and only once.
func (f *Flow) claim(r *http.Request, trustID, state string) (login, *refusal) {
	var in login
	ok, err := f.peek(r.Context(), kindLogin, state, &in)
	switch {
	case err != nil:
		return login{}, storeRefusal(err)
	case !ok:
		return login{}, f.over(r, state)
	case in.Trust != trustID:
		return login{}, mixedUp(in)
	case !f.Sessions.SameBrowser(r, in.Browser):
		x := f.over(r, state) // what the request was is for its own browser's eyes
		x.kind, x.detail, x.trust = OtherBrowser, "begun in another browser", in.Trust
		return login{}, x
	}
	if ok, err = f.take(r.Context(), kindLogin, state, &in); err != nil {
		return login{}, storeRefusal(err)
	}
	if !ok {
		return login{}, f.over(r, state) // another request was faster
	}
	return in, nil
}

// over is a login that was finished, is too old, or never was.
func (f *Flow) over(r *http.Request, state string) *refusal {
	x := &refusal{kind: Over, reason: trust.ReasonLoginState, detail: "finished before, expired or unknown"}
	if back, ok := f.wayBack(r, state); ok {
		x.again, x.cancel = back.Return, back.Cancel
	}
	return x
}

// mixedUp is an answer to one office's login at the callback of another (THREATS A65).
func mixedUp(in login) *refusal {
	return &refusal{kind: Malformed, reason: trust.ReasonLoginState, detail: "an answer at another office's callback", trust: in.Trust}
}

func storeRefusal(err error) *refusal {
	return &refusal{kind: Unavailable, reason: trust.ReasonStore, detail: "the store did not answer", cause: err}
}
