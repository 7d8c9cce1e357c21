package oidc

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream"
	"apostille/upstream/fetch"
)

const maxAnswer = 64 << 10 // bytes of an answer of an endpoint

// knownErrors are the codes that an upstream's error may be told by: RFC 6749 §4.1.2.1, §5.2; OpenID Connect Core 1.0 §3.1.2.6; OpenID
// Connect Core Error Code unmet_authentication_requirements 1.0.
var knownErrors = map[string]bool{
	"access_denied": true, "account_selection_required": true, "consent_required": true, "interaction_required": true,
	"invalid_client": true, "invalid_grant": true, "invalid_request": true, "invalid_request_object": true, "invalid_request_uri": true,
	"invalid_scope": true, "login_required": true, "registration_not_supported": true, "request_not_supported": true,
	"request_uri_not_supported": true, "server_error": true, "temporarily_unavailable": true, "unauthorized_client": true,
	"unmet_authentication_requirements": true, "unsupported_grant_type": true, "unsupported_response_type": true,
}

// answeredError is an upstream's error answer. Its description stays with it: anybody can have written that.
func answeredError(where string, code any) *upstream.Error {
	e := &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: where + " answered with an error that no specification names"}
	if text, _ := code.(string); knownErrors[text] {
		e.Code, e.Detail = text, where+" answered "+text
	}
	return e
}

// client is for one endpoint. It was learnt, so it reaches private addresses only on the origin that was configured: there it reaches
// nothing that the issuer itself does not (THREATS A113). Redirects are not followed: a form and a bearer token go where they were sent.
func (p *party) client(endpoint string) *http.Client {
	c := *p.rp.Client(p.cfg.Roots, fetch.SameOrigin(p.trust.Spec.Issuer, endpoint))
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return fetch.ErrRedirect }
	return &c
}

// post sends a form with our client authentication and reads a JSON object. Errors are *upstream.Error and hold nothing of either.
func (p *party) post(ctx context.Context, endpoint string, form url.Values) (map[string]any, error) {
	header := http.Header{}
	if err := p.authenticate(form, header); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, down(endpoint, err)
	}
	r.Header = header
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := p.send(r)
	if err != nil {
		return nil, err
	}
	switch {
	case a.status >= 500:
		return nil, down(endpoint, &fetch.StatusError{Code: a.status})
	case a.status != http.StatusOK && a.status != http.StatusCreated:
		doc, _ := jose.DecodeObject(a.body)
		return nil, answeredError(name(r.URL), doc["error"])
	}
	doc, err := jose.DecodeObject(a.body)
	if err != nil {
		return nil, &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: name(r.URL) + " did not answer with strict JSON", Cause: err}
	}
	return doc, nil
}

// answer is what an endpoint answered.
type answer struct {
	status int
	media  string // lower case, without parameters; "" = none
	body   []byte
}

// send makes one request.
func (p *party) send(r *http.Request) (answer, error) {
	r.Header.Set("Accept", "application/json")
	endpoint := r.URL.String()
	resp, err := p.client(endpoint).Do(r)
	if err != nil {
		return answer{}, down(endpoint, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fetch.ErrTooLarge
	}
	if err != nil {
		return answer{}, down(endpoint, err)
	}
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	return answer{resp.StatusCode, media, body}, nil
}

// down is an endpoint that cannot be had. The cause is kept only as far as fetch describes it: net/http's errors quote URLs, and an
// answer's status line.
func down(endpoint string, err error) error {
	what := fetch.Describe(err)
	u, parseErr := url.Parse(endpoint)
	if parseErr != nil {
		return &upstream.Error{Reason: trust.ReasonUpstreamDown, Detail: what}
	}
	return &upstream.Error{Reason: trust.ReasonUpstreamDown, Detail: name(u) + ": " + what, Cause: errors.New(what)}
}

// name shows an endpoint without its query.
func name(u *url.URL) string { return strconv.Quote(u.Scheme + "://" + u.Host + u.Path) }
