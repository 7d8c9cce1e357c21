package introspect

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"apostille/broker/oauth"
	"apostille/trust"
)

// jwtType is the media type of an answer as a JWT (RFC 9701 §4).
const jwtType = "application/token-introspection+jwt"

// withheld are the claims of an access token that an answer does not repeat (RFC 7662 §2.2): what is behind it is our own business.
var withheld = map[string]bool{"family": true, "links": true}

// ServeHTTP answers an introspection request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, refused := e.authenticated(w, r, false)
	if refused != nil {
		oauth.WriteError(w, refused, c.id)
		return
	}
	answer, err := e.look(r, c)
	if err != nil { // RFC 7662 has no code for it; saying "inactive" would be a lie that APIs act on
		oauth.WriteError(w, e.spelled(c, trust.ReasonStore, err), c.id)
		return
	}
	e.write(w, r, c, answer)
}

// look finds out what the caller is told.
func (e *Endpoint) look(r *http.Request, c caller) (map[string]any, error) {
	inactive := map[string]any{"active": false}
	f, err := e.find(r.Context(), c.reg, c.params.Get("token"))
	if err != nil || f == nil || !f.mayKnow(c.reg, c.client) {
		return inactive, err
	}
	ok, err := e.active(r.Context(), c.reg, f)
	if err != nil || !ok {
		return inactive, err
	}
	out := map[string]any{"active": true, "client_id": f.subject.ClientID, "exp": f.expires.Unix(), "iss": c.reg.Issuer()}
	for name, value := range f.claims {
		if !withheld[name] {
			out[name] = value
		}
	}
	out["sub"] = e.subFor(c, f)
	if f.kind == accessToken {
		out["token_type"] = "Bearer"
	}
	return out, nil
}

// subFor is what the caller knows the person by: an API by the public subject, an application that they signed in to by that of its
// sector.
func (e *Endpoint) subFor(c caller, f *found) string {
	app, ok := c.reg.Client(c.client)
	if !ok || !f.subject.SignedIn || f.isFor(c.reg, c.client) {
		return f.subject.Sub
	}
	return e.Minter.Sub(app.Spec.App, f.subject.Sub)
}

// write answers as JSON, or as a JWT where that is asked for.
func (e *Endpoint) write(w http.ResponseWriter, r *http.Request, c caller, answer map[string]any) {
	body, err := json.Marshal(answer)
	kind := "application/json"
	if err == nil && wantsJWT(r.Header.Values("Accept")) {
		var raw string
		raw, err = e.Minter.Introspection(c.client, body, e.Now())
		body, kind = []byte(raw), jwtType
	}
	if err != nil {
		oauth.WriteError(w, e.spelled(c, trust.ReasonPanic, err), c.id)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client went away: nothing is left to tell it
}

// wantsJWT says whether the type is asked for by name.
func wantsJWT(accept []string) bool {
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(kind), jwtType) {
			return true
		}
	}
	return false
}
