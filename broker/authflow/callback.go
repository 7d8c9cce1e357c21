package authflow

import (
	"errors"
	"net/http"
	"net/url"

	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/trust"
)

// callback is GET /login/callback/{trust}: the browser is back from the office.
func (f *Flow) callback(w http.ResponseWriter, r *http.Request) *refusal {
	p, x := queryOf(r)
	if x != nil {
		return x
	}
	return f.finish(w, r, r.PathValue("trust"), p)
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
	case in.Trust != r.PathValue("trust"):
		return mixedUp(in)
	}
	handle := mint.NewSecret()
	err = f.put(r.Context(), kindHop, handle, hop{Trust: in.Trust, Params: p}, f.Now().Add(hopTTL))
	switch {
	case errors.Is(err, store.ErrInvalid):
		return &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "an answer that is too long", trust: in.Trust}
	case err != nil:
		return storeRefusal(err)
	}
	http.Redirect(w, r, f.base()+"/login/hop?h="+handle, http.StatusSeeOther)
	return nil
}

// hop is GET /login/hop: the browser fetches what it posted.
func (f *Flow) hop(w http.ResponseWriter, r *http.Request) *refusal {
	p, x := queryOf(r)
	if x != nil {
		return x
	}
	var in hop
	ok, err := f.take(r.Context(), kindHop, p.Get("h"), &in)
	if err != nil {
		return storeRefusal(err)
	}
	if !ok {
		return f.over(r, "")
	}
	return f.finish(w, r, in.Trust, in.Params)
}

// claim finds the login of an answer and takes it: only in the browser that began it, only at the callback of the office it was
// begun with, and only once.
func (f *Flow) claim(r *http.Request, trustID string, p url.Values) (login, *refusal) {
	state := p.Get("state")
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
