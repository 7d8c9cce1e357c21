package authflow

import (
	"context"
	"errors"
	"mime"
	"net/http"

	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// kindLogoutToken is the store.Replay kind of logout tokens.
const kindLogoutToken = "logout_token"

// maxListed bounds how much of one person is looked at when a logout token names a session that is not here.
const maxListed = 1000

// backchannel is POST /login/backchannel/{trust}: an upstream says that a login there is over (OpenID Connect Back-Channel Logout
// 1.0 §2.5). 200 means that what rested on it here is over as well; 400 that the token is not acceptable (§2.8).
func (f *Flow) backchannel(w http.ResponseWriter, r *http.Request) {
	e := f.event(r)
	e.Event, e.Trust = EventEnded, r.PathValue("trust")
	out, x := f.loggedOut(w, r)
	if x == nil {
		e.Issuer, e.Subject, e.Detail = out.Issuer, out.Sub, "logout token"
		x = f.end(r.Context(), e.Trust, out)
	}
	if x == nil {
		if err := f.Audit.Record(r.Context(), &e); err != nil { // what is over stays over
			f.Log.Error("audit record of a logout", "id", e.ID, "error", err)
		}
		w.Header().Set("Cache-Control", "no-store") // §2.8
		w.WriteHeader(http.StatusOK)
		return
	}
	e.Event, e.Reason, e.Detail = EventRefused, string(x.reason), "logout token: "+x.detail
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

// loggedOut reads and verifies a logout token, and claims its ID: a token that was seen takes effect once (THREATS A118).
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
	first, err := f.Replay.Claim(r.Context(), kindLogoutToken, out.Issuer, out.TokenID, out.Expires.Add(trust.Skew))
	switch {
	case errors.Is(err, store.ErrExpired), errors.Is(err, store.ErrInvalid):
		return none, &refusal{kind: Malformed, reason: trust.ReasonExpired, detail: "over, or without ID"}
	case err != nil:
		return none, storeRefusal(err)
	case !first:
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

// end ends what rested on the login: with sid the identities that came of that session of the upstream, else all of the person's,
// each with the families that began there.
func (f *Flow) end(ctx context.Context, trustID string, out upstream.LoggedOut) *refusal {
	sessions, families, err := f.Ender.EndSessions(ctx, store.SessionQuery{Trust: trustID, Sub: out.Sub, SID: out.SID})
	if err != nil {
		return storeRefusal(err)
	}
	if out.Sub != "" && (out.SID == "" || len(sessions) == 0) {
		rest, err := f.endOrphans(ctx, trustID, out.Sub, out.SID == "")
		if err != nil {
			return storeRefusal(err)
		}
		families = append(families, rest...)
	}
	if f.Ended != nil && len(sessions)+len(families) > 0 {
		f.Ended(ctx, sessions, families)
	}
	return nil
}

// endOrphans ends families of the person that outlived their session here, such as refresh tokens after the session's idle time: all,
// or those without a living session, for a logout token whose session is not here any more may mean one of them.
func (f *Flow) endOrphans(ctx context.Context, trustID, sub string, all bool) ([]store.Family, error) {
	query := store.FamilyQuery{Trust: trustID, Sub: sub}
	if all {
		return f.Ender.EndFamilies(ctx, query, "logout")
	}
	living, err := f.Ender.ListSessions(ctx, store.SessionQuery{Trust: trustID, Sub: sub}, maxListed)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, s := range living {
		ids[s.ID] = true
	}
	candidates, err := f.Ender.ListFamilies(ctx, query, maxListed)
	if err != nil {
		return nil, err
	}
	var ended []store.Family
	for _, c := range candidates {
		if ids[c.Session] {
			continue
		}
		list, err := f.Ender.EndFamilies(ctx, store.FamilyQuery{ID: c.ID}, "logout")
		if err != nil {
			return ended, err
		}
		ended = append(ended, list...)
	}
	return ended, nil
}
