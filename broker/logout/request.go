package logout

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"apostille/broker/mint"
	"apostille/broker/oauth"
)

// Limits of a request, in bytes.
const (
	maxRequest = 16 << 10
	maxState   = 2048
)

// request is a logout request whose way back is known to be the application's own.
type request struct {
	Client  string   `json:"c,omitempty"` // "" = nobody in particular
	Return  string   `json:"r,omitempty"` // registered; "" = none
	State   string   `json:"s,omitempty"`
	Locales []string `json:"l,omitempty"`
	Knows   string   `json:"k,omitempty"` // client that began it and need not be told; "" = nobody
}

// read reads a request. bad is the message of the page that says why not.
func (e *Endpoint) read(ctx context.Context, raw string) (q request, bad string) {
	if len(raw) > maxRequest {
		return q, "logout.error.request"
	}
	p, err := oauth.ParseParams(raw)
	if err != nil || len(p.Get("state")) > maxState {
		return q, "logout.error.request"
	}
	q = request{Client: p.Get("client_id"), Return: p.Get("post_logout_redirect_uri"), State: p.Get("state"), Locales: strings.Fields(p.Get("ui_locales"))}
	reg := e.Registry()
	if hint := p.Get("id_token_hint"); hint != "" {
		h, err := mint.ReadHint(ctx, e.Keys, reg.Issuer(), hint)
		if err != nil || q.Client != "" && q.Client != h.Client { // RP-Initiated Logout §2: they must be the same
			return q, "logout.error.hint"
		}
		q.Client = h.Client
	}
	client, known := reg.Client(q.Client)
	switch {
	case q.Client != "" && (!known || client.Spec.App == nil):
		return q, "logout.error.client"
	case q.Return != "" && q.Client == "": // §3: nothing says whose address it is
		return q, "logout.error.return"
	case q.Return != "" && !slices.Contains(client.Spec.App.PostLogoutURIs, q.Return): // byte for byte (THREATS A109)
		return q, "logout.error.return"
	}
	return q, ""
}

// again sends a posted request back as GET, where the browser's cookie comes along. It has been read: what a hint says of the person
// stands in no address.
func (e *Endpoint) again(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		e.refuse(w, r, http.StatusBadRequest, "logout.error.request")
		return
	}
	q, bad := e.read(r.Context(), string(body))
	if bad != "" {
		e.refuse(w, r, http.StatusBadRequest, bad)
		return
	}
	http.Redirect(w, r, e.Base+Path+"?"+q.encode(), http.StatusSeeOther)
}

// encode writes a request without its hint.
func (q request) encode() string {
	out := url.Values{}
	for name, value := range map[string]string{
		"client_id": q.Client, "post_logout_redirect_uri": q.Return, "state": q.State, "ui_locales": strings.Join(q.Locales, " "),
	} {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out.Encode()
}

// back is where the application wants its people; "" = nowhere.
func (q request) back() string {
	if q.Return == "" || q.State == "" {
		return q.Return
	}
	u, err := url.Parse(q.Return)
	if err != nil { // it was compiled
		return ""
	}
	values := u.Query()
	values.Set("state", q.State)
	u.RawQuery = values.Encode()
	return u.String()
}
