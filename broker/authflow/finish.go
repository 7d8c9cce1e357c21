package authflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"

	"apostille/broker/audit"
	"apostille/broker/mint"
	"apostille/trust"
	"apostille/upstream"
)

// finish turns an answer into a signed-in session and a one-time result.
func (f *Flow) finish(w http.ResponseWriter, r *http.Request, answer hop) *refusal {
	ctx := r.Context()
	// 1. Whose login is it, and is it still open. From here on it is used up.
	in, x := f.claim(r, answer.Trust, answer.State)
	if x != nil {
		return x
	}
	fail := func(x *refusal) *refusal { x.known = true; return f.from(x, in.Request, in.Trust) }
	// 2. Policy as it is now.
	t, ok := f.live(in.Trust)
	if !ok || !slices.Contains(f.offices(&in.Request), in.Trust) {
		return fail(&refusal{kind: Gone, reason: trust.ReasonTrustNotLive, detail: "no office of this application any more"})
	}
	// 3. VERIFY.
	out, err := f.verify(ctx, t, upstream.Answer{Secret: in.Secret, Params: answer.Params, Ask: askFor(in.Request, t), Begun: in.Begun})
	if x := loginRequired(err); x != nil {
		return f.giveBack(w, r, in, fail(x))
	}
	if err != nil {
		return fail(upstreamRefusal(err))
	}
	// 4. Claim, record, then sign in.
	if x := f.signIn(w, r, in, out); x != nil {
		return fail(x)
	}
	// 5. Tell who asked, once.
	return f.returnWith(w, r, in, result{Trust: in.Trust, At: f.Now()})
}

// signIn is what every verified login comes to: it is claimed if it is good once, recorded, and made the browser's.
func (f *Flow) signIn(w http.ResponseWriter, r *http.Request, in login, out upstream.Login) *refusal {
	if x := f.once(r.Context(), out); x != nil {
		return x
	}
	if err := f.Audit.Record(r.Context(), f.finished(r, in, out.Subject)); err != nil {
		return &refusal{kind: Unavailable, reason: trust.ReasonAudit, detail: "the login could not be recorded", cause: err}
	}
	if _, err := f.Sessions.SignIn(w, r, out); err != nil {
		return &refusal{kind: Unavailable, reason: trust.ReasonStore, detail: "the session could not be stored", cause: err}
	}
	return nil
}

// verify calls the provider, and does not believe it blindly: a subject of another trust would cross a border.
func (f *Flow) verify(ctx context.Context, t *trust.Trust, a upstream.Answer) (out upstream.Login, err error) {
	defer recovered(&err)
	out, err = f.Provider.Finish(ctx, t, f.redirect(t), a)
	if err != nil {
		return upstream.Login{}, err
	}
	if s := out.Subject; s.Credential != trust.CredentialLogin || s.Trust != t.ID || s.Origin != t.ID || s.Sub == "" {
		return upstream.Login{}, fmt.Errorf("the provider of %s answered with a subject of another kind or trust", t.ID)
	}
	return out, nil
}

// loginRequired is an upstream's answer that only the application can deal with: the fresh login it asked for did not take place
// (OpenID Connect Core §3.1.2.6).
func loginRequired(err error) *refusal {
	var e *upstream.Error
	if errors.As(err, &e) && e.Reason == trust.ReasonLoginRequired {
		return &refusal{kind: Failed, reason: e.Reason, detail: e.Detail, cause: e}
	}
	return nil
}

// giveBack records a refusal and returns it to who asked for the login.
func (f *Flow) giveBack(w http.ResponseWriter, r *http.Request, in login, x *refusal) *refusal {
	f.record(r, x)
	return f.returnWith(w, r, in, result{Refused: x.reason, At: f.Now()})
}

// returnWith stores a login's result and sends the browser to fetch it.
func (f *Flow) returnWith(w http.ResponseWriter, r *http.Request, in login, out result) *refusal {
	out.Browser, out.Return = in.Browser, digest(in.Request.Return)
	handle := mint.NewSecret()
	if err := f.put(r.Context(), kindResult, handle, out, out.At.Add(resultTTL)); err != nil {
		return f.from(storeRefusal(err), in.Request, in.Trust)
	}
	http.Redirect(w, r, withLogin(in.Request.Return, handle), http.StatusSeeOther)
	return nil
}

// finished is the record of a login.
func (f *Flow) finished(r *http.Request, in login, s trust.Subject) *audit.Event {
	e := f.event(r)
	e.Event, e.Client, e.Trust, e.Issuer, e.Subject, e.Expires = audit.EventLogin, in.Request.Client, in.Trust, s.Issuer, s.Sub, s.Expires
	return &e
}

// recovered turns a panic of a library into an error: a runtime error's text is safe; any other value may hold parts of a token.
func recovered(err *error) {
	p := recover()
	if p == nil {
		return
	}
	text := fmt.Sprintf("a value of type %T", p)
	if e, ok := p.(runtime.Error); ok {
		text = e.Error()
	}
	*err = &upstream.Error{Reason: trust.ReasonPanic, Detail: "panic: " + text}
}
