package authflow

import (
	"context"
	"net/http"

	"apostille/broker/audit"
	"apostille/trust"
	"apostille/upstream"
)

// kindLogoutRequest is the store.Replay kind of SAML LogoutRequests.
const kindLogoutRequest = "logout_request"

// front is GET and POST /saml/logout, our single logout service: a browser brings an office's word that a login there is over, or its answer to
// ours (SAML Profiles 2.0 §4.4). Whose browser it is does not matter: the message is signed, and names whose sessions end.
func (f *Flow) front(w http.ResponseWriter, r *http.Request) *refusal {
	if !f.Limit(f.Remote(r)) {
		return &refusal{kind: Busy, reason: trust.ReasonRateLimited, detail: "too many logout messages from this address"}
	}
	in := upstream.FrontMessage{Query: r.URL.RawQuery}
	if r.Method == http.MethodPost {
		p, x := formUpTo(w, r, 4*maxForm)
		if x != nil {
			return x
		}
		in.Form = p
	}
	leave, x := f.enter(r.Context())
	if x != nil {
		return x
	}
	defer leave()
	m, err := f.frontLogout(r.Context(), in)
	if err != nil {
		x := upstreamRefusal(err)
		x.kind = Malformed
		return x
	}
	if m.Answer {
		f.Pages.Left(w, r, Left{Office: m.Trust.Title(), Done: m.Done})
		return nil
	}
	x = f.frontEffect(r, m)
	if m.Reply == nil {
		return x
	}
	reply, err := m.Reply(x == nil)
	if err != nil { // it ended here all the same
		f.Log.Warn("a LogoutRequest is not answered", "trust", m.Trust.ID, "error", err)
		f.Pages.Left(w, r, Left{Office: m.Trust.Title(), Done: true})
		return nil
	}
	if x != nil {
		x.trust, x.known = m.Trust.ID, true
		f.record(r, x)
	}
	http.Redirect(w, r, reply.URL, http.StatusSeeOther)
	return nil
}

// frontLogout calls the receiver.
func (f *Flow) frontLogout(ctx context.Context, in upstream.FrontMessage) (m upstream.FrontLogout, err error) {
	defer recovered(&err)
	if f.Front == nil {
		return m, &upstream.Error{Reason: trust.ReasonTrustNotLive, Detail: "no office speaks SAML"}
	}
	return f.Front.FrontLogout(ctx, f.Registry().ByIssuer, in)
}

// frontEffect ends what a LogoutRequest names. As with logout tokens its ID is claimed when that has taken place, so that one that came while the
// store was away may come again; one that has taken effect is refused (THREATS A118).
func (f *Flow) frontEffect(r *http.Request, m upstream.FrontLogout) *refusal {
	ctx, first := r.Context(), m.LoggedOut[0]
	seen, err := f.Replay.Claimed(ctx, kindLogoutRequest, first.Issuer, first.TokenID)
	switch {
	case err != nil:
		return storeRefusal(err)
	case seen:
		return &refusal{kind: Malformed, reason: trust.ReasonReplayed, detail: "a LogoutRequest that was seen before"}
	}
	for _, out := range m.LoggedOut {
		if x := f.end(ctx, m.Trust.ID, out); x != nil {
			return x
		}
		e := f.event(r)
		e.Event, e.Trust, e.Issuer, e.Subject, e.Detail = audit.EventSessionEnded, m.Trust.ID, out.Issuer, out.Sub, "LogoutRequest"
		if err := f.Audit.Record(ctx, &e); err != nil { // what is over stays over
			f.Log.Error("audit record of a logout", "id", e.ID, "error", err)
		}
	}
	if _, err := f.Replay.Claim(ctx, kindLogoutRequest, first.Issuer, first.TokenID, first.Expires.Add(trust.Skew)); err != nil {
		return storeRefusal(err)
	}
	return nil
}
