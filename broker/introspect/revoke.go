package introspect

import (
	"net/http"

	"apostille/broker/audit"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust"
)

// Revoke answers revocation requests (RFC 7009). What is not ours, or over already, is answered 200 (§2.2); a token of another client is
// refused (§2.1), and a store that does not answer is 503: nobody may take it for done (THREATS A104).
func (e *Endpoint) Revoke() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, refused := e.authenticated(w, r, true)
		if refused == nil {
			refused = e.revoke(r, c)
		}
		if refused != nil {
			oauth.WriteError(w, refused, c.id)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
	})
}

// revoke takes one token back. token_type_hint is not needed: the two kinds cannot be mistaken for each other.
func (e *Endpoint) revoke(r *http.Request, c caller) *oauth.Error {
	ctx := r.Context()
	f, err := e.find(ctx, c.reg, c.params.Get("token"))
	switch {
	case err != nil:
		return e.spelled(c, trust.ReasonStore, err)
	case f == nil:
		return nil
	case f.subject.ClientID != c.client:
		return &oauth.Error{Code: oauth.CodeInvalidGrant, Status: http.StatusBadRequest, Description: "the token was issued to another client"}
	case f.kind == refreshToken:
		_, err = e.Store.EndFamilies(ctx, store.FamilyQuery{ID: f.subject.Family}, "revoked")
	default:
		err = e.Store.RevokeToken(ctx, f.subject.TokenID, f.expires.Add(trust.Skew))
	}
	if err != nil {
		return e.spelled(c, trust.ReasonStore, err)
	}
	ev := audit.Event{Time: e.Now().UTC(), ID: c.id, Event: audit.EventRevoked, Grant: f.kind, Client: c.client, Trust: f.subject.Origin, Subject: f.subject.Sub,
		IssuedID: f.subject.TokenID, Remote: e.Remote(r)}
	if err := e.Audit.Record(ctx, &ev); err != nil { // it is revoked all the same
		e.Log.Error("audit record of a revocation", "id", c.id, "error", err)
	}
	return nil
}
