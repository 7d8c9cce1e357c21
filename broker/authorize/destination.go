package authorize

import (
	"strings"

	"apostille/trust"
)

// destination finds out where the request comes from and where its answer goes. Its faults are told on a page: a redirect to an
// address that the client did not register would make us send people, and codes, anywhere (THREATS A98, RFC 6749 §4.1.2.1).
func destination(reg Registry, v values) (*request, *problem) {
	if contains(v.repeated, "client_id") || contains(v.repeated, "redirect_uri") {
		return nil, onPage("client_id or redirect_uri is repeated")
	}
	id, sent := v.get("client_id"), v.get("redirect_uri")
	client, ok := reg.Client(id)
	switch {
	case id == "":
		return nil, &problem{Status: 400, Reason: trust.ReasonClientUnknown, Text: "client_id is missing", Detail: "client_id is missing"}
	case !ok:
		return nil, &problem{Status: 400, Reason: trust.ReasonClientUnknown, Text: "no such client", Detail: "no such client"}
	case client.Spec.Disabled:
		return nil, &problem{Status: 400, Reason: trust.ReasonClientUnknown, Text: "no such client", Detail: "the client is disabled"}
	case client.Spec.App == nil:
		return nil, &problem{Status: 400, Reason: trust.ReasonClientUnknown, Text: "the client signs nobody in", Detail: "the client has no redirect_uris"}
	}
	if sent == "" && contains(v.words("scope"), "openid") { // OpenID Connect Core §3.1.2.1: redirect_uri is required
		return nil, &problem{Status: 400, Reason: trust.ReasonRedirect, Text: "redirect_uri is missing", Detail: "redirect_uri is missing"}
	}
	uri, ok := client.Redirect(sent)
	if !ok {
		return nil, &problem{Status: 400, Reason: trust.ReasonRedirect, Text: "redirect_uri is not registered",
			Detail: "redirect_uri is not among the client's redirect_uris"}
	}
	q := &request{client: client, Redirect: uri, Sent: sent != ""}
	q.answering(v)
	return q, nil
}

// answering reads what an error needs already: how it is sent, and the state it is sent with.
func (q *request) answering(v values) {
	if state := v.get("state"); !contains(v.repeated, "state") && len(state) <= maxState && printable(state) {
		q.State = state
	}
	q.FormPost = !contains(v.repeated, "response_mode") && v.get("response_mode") == "form_post" && isWeb(q.Redirect)
}

// isWeb says that browsers can post to the URI.
func isWeb(uri string) bool {
	return strings.HasPrefix(uri, "https://") || strings.HasPrefix(uri, "http://")
}
