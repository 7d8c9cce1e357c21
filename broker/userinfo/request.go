package userinfo

import (
	"mime"
	"net/http"
	"strings"

	"apostille/broker/oauth"
)

// presented finds the access token: in the Authorization header or in the form body of a POST, exactly one of them (RFC 6750 §2).
func (e *Endpoint) presented(w http.ResponseWriter, r *http.Request) (string, *refused) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return "", &refused{code: oauth.CodeInvalidRequest, status: http.StatusMethodNotAllowed, text: "use GET or POST"}
	}
	if r.URL.Query().Has("access_token") { // RFC 6750 §2.3 and RFC 9700 §4.3.2: a query ends in logs
		return "", badRequest("the access token belongs into the Authorization header, not into the query")
	}
	header, found, refusal := fromHeader(r.Header.Values("Authorization"))
	if refusal != nil {
		return "", refusal
	}
	body := ""
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Method == http.MethodPost && kind == "application/x-www-form-urlencoded" {
		params, err := oauth.ReadForm(w, r, e.MaxBody)
		if err != nil {
			return "", badRequest(err.Description)
		}
		body = params.Get("access_token")
	}
	switch {
	case found && body != "": // RFC 6750 §2: not more than one method
		return "", badRequest("send the access token in one way only")
	case !found && body == "":
		return "", noToken()
	}
	return header + body, nil
}

// fromHeader reads `Authorization: Bearer …`. Another scheme counts as no token.
func fromHeader(values []string) (raw string, found bool, refusal *refused) {
	if len(values) > 1 {
		return "", false, badRequest("several Authorization headers")
	}
	if len(values) == 0 {
		return "", false, nil
	}
	scheme, raw, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false, noToken()
	}
	if raw = strings.Trim(raw, " "); raw == "" {
		return "", false, badRequest("the Authorization header has no token")
	}
	return raw, true, nil
}
