package authorize

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/trust"
)

// read takes the parameters of a GET from the query and of a POST from the form (OpenID Connect Core §3.1.2.1).
func (e *Endpoint) read(w http.ResponseWriter, r *http.Request) (values, error) {
	raw, err := rawForm(w, r, maxQuery)
	if err != nil {
		return values{}, err
	}
	v, p := readValues(raw, maxQuery, "resource")
	if p != nil {
		return values{}, p
	}
	for name := range v.all {
		if v.get(name) != "" && ignored(name) {
			e.Observer.Ignored()
		}
	}
	return v, nil
}

// rawForm returns the query of a GET or the body of a POST, which then has no query.
func rawForm(w http.ResponseWriter, r *http.Request, limit int64) (string, error) {
	switch r.Method {
	case http.MethodGet: // HEAD would make codes that nobody gets
		return r.URL.RawQuery, nil
	case http.MethodPost:
		return rawBody(w, r, limit)
	}
	w.Header().Set("Allow", "GET, POST")
	p := onPage("use GET or POST")
	p.Status = http.StatusMethodNotAllowed
	return "", p
}

func rawBody(w http.ResponseWriter, r *http.Request, limit int64) (string, error) {
	if r.URL.RawQuery != "" {
		return "", onPage("a form has its parameters in the body, not in the query")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return "", onPage("Content-Type must be application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return "", onPage("the request is larger than this server reads, or was cut off")
	}
	return string(body), nil
}

// understand turns parameters into c.request.
func (e *Endpoint) understand(ctx context.Context, c *call, v values) error {
	c.event.Client = v.get("client_id")
	handle, v, err := e.unpush(ctx, v)
	if err != nil {
		return err
	}
	return e.judge(ctx, c, v, handle)
}

// judge checks a request. c.request is set as soon as an error may be told to the client.
func (e *Endpoint) judge(ctx context.Context, c *call, v values, handle string) error {
	c.params, c.event.Client = v, v.get("client_id")
	q, p := destination(c.policy.Registry, v)
	if p != nil {
		return p
	}
	c.request, c.event.Requested, c.event.Audiences = q, v.words("scope"), v.all["resource"]
	q.pushed, q.selfReturn = handle, e.selfReturn(v, handle)
	if p := q.check(v); p != nil {
		return p
	}
	return e.hint(ctx, c)
}

// selfReturn is the path and query of a request in one spelling.
func (e *Endpoint) selfReturn(v values, handle string) string {
	if handle != "" {
		v = values{all: map[string][]string{"client_id": v.all["client_id"], "request_uri": {pushedPrefix + handle}}}
	}
	return e.Base + Path + "?" + v.encode(read)
}

// hint reads the id_token_hint: whoever answers must be that person.
func (e *Endpoint) hint(ctx context.Context, c *call) error {
	q := c.request
	if q.idToken == "" {
		return nil
	}
	sub, err := hintSubject(ctx, e.Keys, c.policy.Registry.Issuer(), q.client.ID, q.idToken)
	switch {
	case errors.Is(err, mint.ErrHintKey):
		return &problem{Code: codeLogin, Text: "id_token_hint is too old to be read", Reason: trust.ReasonKeyUnknown, Detail: err.Error()}
	case err != nil:
		return redirected(oauth.CodeInvalidRequest, err.Error())
	}
	if q.bound && !slices.Contains(q.subs, sub) {
		q.subs = nil // nobody can be both
	} else {
		q.subs = []string{sub}
	}
	q.bound = true
	return nil
}
