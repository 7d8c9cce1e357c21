package authflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// maxAnswer bounds the form of a posted SAML answer, in bytes: a Response of 1 MB in base64, URL-encoded.
const maxAnswer = 2 << 20

// consume is POST /saml/acs, the assertion consumer service: one place for the answers of all offices that speak SAML (SAML Bindings 2.0
// §3.5). As with posted, nothing says yet whose answer it is; RelayState finds the login, and with it the office whose answer it must be.
func (f *Flow) consume(w http.ResponseWriter, r *http.Request) *refusal {
	if !f.Limit(f.Remote(r)) {
		return &refusal{kind: Busy, reason: trust.ReasonRateLimited, detail: "too many answers from this address"}
	}
	p, x := formUpTo(w, r, maxAnswer)
	if x != nil {
		return x
	}
	leave, x := f.enter(r.Context())
	if x != nil {
		return x
	}
	defer leave()
	state := p.Get("RelayState")
	var in login
	ok, err := f.peek(r.Context(), kindLogin, state, &in)
	switch {
	case err != nil:
		return storeRefusal(err)
	case !ok:
		return f.unsolicited(w, r, p)
	}
	t, ok := f.speaks(in.Trust, trust.ProtocolSAML)
	if !ok {
		return mixedUp(in)
	}
	p.Del("RelayState")
	return f.layAside(w, r, t, hop{Trust: in.Trust, State: state, Params: p}, in)
}

// enter waits for a place to read a message of a stranger in: one of 1 MB takes up to 13 ms of a processor and allocates 7 MB.
func (f *Flow) enter(ctx context.Context) (leave func(), x *refusal) {
	leave, err := f.Messages.Enter(ctx)
	if err != nil {
		return nil, &refusal{kind: Busy, reason: trust.ReasonOverloaded, detail: "no place for another message", cause: err}
	}
	return leave, nil
}

// unsolicited lays an answer aside that no login of ours asked for, of an office that may send such (THREATS A34). Where it says that the person
// goes is not looked at (THREATS A109). Else it is the answer to a login that is over.
func (f *Flow) unsolicited(w http.ResponseWriter, r *http.Request, p url.Values) *refusal {
	t, err := f.sender(r.Context(), p)
	if err != nil {
		x := f.over(r, p.Get("RelayState"))
		x.cause = err
		if e := (*upstream.Error)(nil); errors.As(err, &e) {
			x.detail += "; taken for one that nobody asked for: " + e.Detail
		}
		return x
	}
	p.Del("RelayState")
	return f.layAside(w, r, t, hop{Trust: t.ID, Unsolicited: true, Params: p}, login{})
}

func (f *Flow) sender(ctx context.Context, p url.Values) (t *trust.Trust, err error) {
	defer recovered(&err)
	u, ok := f.Provider.(upstream.Unsolicited)
	if !ok {
		return nil, errors.New("no provider takes answers that nobody asked for")
	}
	return u.Sender(ctx, f.Registry().ByIssuer, f.consumer(), p)
}

// welcome signs somebody in whom no application sent: they see their own account.
func (f *Flow) welcome(w http.ResponseWriter, r *http.Request, answer hop) *refusal {
	ctx, in := r.Context(), login{Trust: answer.Trust}
	fail := func(x *refusal) *refusal { x.trust, x.known = answer.Trust, true; return x }
	t, ok := f.live(answer.Trust)
	if !ok {
		return fail(&refusal{kind: Gone, reason: trust.ReasonTrustNotLive, detail: "not an office any more"})
	}
	out, err := f.verify(ctx, t, upstream.Answer{Params: answer.Params, Begun: f.Now()})
	if err != nil {
		return fail(upstreamRefusal(err))
	}
	if out.OnceUntil.IsZero() {
		return fail(&refusal{kind: Failed, reason: trust.ReasonReplayed, detail: "an answer that nobody asked for, and that could come again"})
	}
	if x := f.signIn(w, r, in, out); x != nil {
		return fail(x)
	}
	http.Redirect(w, r, f.base()+"/account", http.StatusSeeOther)
	return nil
}

// speaks says whether an office is there and speaks a protocol: an answer in another one is nobody's.
func (f *Flow) speaks(trustID, protocol string) (*trust.Trust, bool) {
	t, ok := f.live(trustID)
	return t, ok && t.Spec.Login.Protocol == protocol
}

// once claims a login that is good once, across all entries and nodes (THREATS A35, A87).
func (f *Flow) once(ctx context.Context, out upstream.Login) *refusal {
	if out.OnceUntil.IsZero() {
		return nil
	}
	first, err := f.Replay.Claim(ctx, store.KindSubject, out.Subject.Issuer, out.Subject.TokenID, out.OnceUntil)
	switch {
	case errors.Is(err, store.ErrExpired), errors.Is(err, store.ErrInvalid):
		return &refusal{kind: Failed, reason: trust.ReasonExpired, detail: "the credential is over, or has no ID", cause: err}
	case err != nil:
		return storeRefusal(err)
	case !first:
		return &refusal{kind: Failed, reason: trust.ReasonReplayed, detail: "the credential was used before"}
	}
	return nil
}
