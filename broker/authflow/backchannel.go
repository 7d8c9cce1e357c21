package authflow

import (
	"context"
	"errors"
	"mime"
	"net/http"

	"apostille/broker/audit"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// kindLogoutToken is the store.Replay kind of logout tokens.
const kindLogoutToken = "logout_token"

// backchannel is POST /login/backchannel/{trust}: an upstream says that a login there is over (OpenID Connect Back-Channel Logout
// 1.0 §2.5). 200 means that what rested on it here is over as well; 400 that the token is not acceptable (§2.8).
func (f *Flow) backchannel(w http.ResponseWriter, r *http.Request) {
	e := f.event(r)
	e.Event, e.Trust = audit.EventSessionEnded, r.PathValue("trust")
	out, x := f.loggedOut(w, r)
	if x == nil {
		e.Issuer, e.Subject, e.Detail = out.Issuer, out.Sub, "logout token"
		x = f.takeEffect(r.Context(), e, out)
	}
	if x == nil {
		w.Header().Set("Cache-Control", "no-store") // §2.8
		w.WriteHeader(http.StatusOK)
		return
	}
	e.Event, e.Reason, e.Detail = audit.EventLoginRefused, string(x.reason), "logout token: "+x.detail
	if _, ok := f.live(e.Trust); !ok {
		e.Trust = "" // a name that a stranger made up
	}
	if err := f.Sampled.Record(r.Context(), &e); err != nil {
		f.Log.Error("audit record of a refused logout", "id", e.ID, "error", err)
	}
	answer := oauth.BadRequest("the logout token is not acceptable")
	if x.kind == Unavailable || x.kind == Down {
		f.Log.Error("a logout token could not take effect", "id", e.ID, "trust", e.Trust, "reason", e.Reason, "cause", x.cause)
		answer = &oauth.Error{Code: oauth.CodeUnavailable, Description: "try again", Status: http.StatusServiceUnavailable, RetryAfter: 10}
	}
	oauth.WriteError(w, answer, e.ID)
}

// takeEffect ends what a logout token names, and claims its ID only when that has taken place: a token that came while the store was away
// must count when the upstream sends it again (§2.8). To end what is over does no harm, so two of it at once need not be told apart.
func (f *Flow) takeEffect(ctx context.Context, e audit.Event, out upstream.LoggedOut) *refusal {
	if x := f.end(ctx, e.Trust, out); x != nil {
		return x
	}
	if err := f.Audit.Record(ctx, &e); err != nil { // what is over stays over
		f.Log.Error("audit record of a logout", "id", e.ID, "error", err)
	}
	if _, err := f.Replay.Claim(ctx, kindLogoutToken, out.Issuer, out.TokenID, out.Expires.Add(trust.Skew)); err != nil {
		return storeRefusal(err)
	}
	return nil
}

// loggedOut reads and verifies a logout token; one that has taken effect is none (THREATS A118).
func (f *Flow) loggedOut(w http.ResponseWriter, r *http.Request) (upstream.LoggedOut, *refusal) {
	none := upstream.LoggedOut{}
	t, ok := f.live(r.PathValue("trust"))
	if !ok || f.Logout == nil {
		return none, &refusal{kind: Malformed, reason: trust.ReasonTrustNotLive, detail: "no such office"}
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return none, &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "not a form"}
	}
	p, x := formOf(w, r)
	if x != nil {
		return none, x
	}
	raw := p.Get("logout_token")
	if raw == "" {
		return none, &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "no logout_token"}
	}
	out, err := f.verifyLogout(r.Context(), t, raw)
	if err != nil {
		return none, upstreamRefusal(err)
	}
	if !out.Expires.Add(trust.Skew).After(f.Now()) {
		return none, &refusal{kind: Malformed, reason: trust.ReasonExpired, detail: "over"}
	}
	seen, err := f.Replay.Claimed(r.Context(), kindLogoutToken, out.Issuer, out.TokenID)
	switch {
	case errors.Is(err, store.ErrInvalid):
		return none, &refusal{kind: Malformed, reason: trust.ReasonTokenID, detail: "without ID"}
	case err != nil:
		return none, storeRefusal(err)
	case seen:
		return none, &refusal{kind: Malformed, reason: trust.ReasonReplayed, detail: "seen before"}
	}
	return out, nil
}

// verifyLogout calls the receiver; what names nobody would end everybody.
func (f *Flow) verifyLogout(ctx context.Context, t *trust.Trust, raw string) (out upstream.LoggedOut, err error) {
	defer recovered(&err)
	out, err = f.Logout.Logout(ctx, t, raw)
	if err == nil && out.Sub == "" && out.SID == "" {
		return upstream.LoggedOut{}, &upstream.Error{Reason: trust.ReasonSubject, Detail: "names neither sub nor sid"}
	}
	return out, err
}
