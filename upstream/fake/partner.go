package fake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// PathReorder is where a Partner is told to order.
const PathReorder = "/reorder"

const maxAnswer = 64 << 10 // bytes of an answer that a Partner reads

// Partner is a partner's inventory system: it has no identity provider and is a client of the regional broker in its own
// name (RFC 6749 §4.4). POST PathReorder makes it get a token and order; the answer tells both steps. It is an
// http.Handler and safe for concurrent use.
type Partner struct {
	Name                   string // shown on its page
	TokenURL               string // token endpoint of the broker
	ClientID, ClientSecret string // at the broker; public on purpose
	Audience, Scope        string // what it asks the broker for
	OrdersURL              string // where orders are posted
	Item                   string // what it orders
	Pallets                int
	HTTP                   *http.Client
}

// ServeHTTP answers one request.
func (p *Partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(FakeHeader, Notice)
	switch {
	case r.URL.Path == PathReorder && r.Method == http.MethodPost:
		p.reorder(w, r)
	case r.URL.Path == PathHome && r.Method == http.MethodGet:
		p.home(w)
	default:
		notFound(w, r, Faults{})
	}
}

// reordered is the answer of PathReorder.
type reordered struct {
	Fake   string          `json:"fake"`
	Client string          `json:"client_id"`
	Scope  string          `json:"scope,omitempty"` // what the broker granted
	Order  json.RawMessage `json:"order,omitempty"` // what the warehouse answered
	Error  string          `json:"error,omitempty"`
}

func (p *Partner) reorder(w http.ResponseWriter, r *http.Request) {
	answer := reordered{Fake: Notice, Client: p.ClientID}
	status := http.StatusCreated
	if err := p.order(r, &answer); err != nil {
		status, answer.Error = http.StatusBadGateway, err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(mustJSON(answer)) // an error means that the caller has gone
}

// order gets a token and orders with it.
func (p *Partner) order(r *http.Request, answer *reordered) error {
	form := url.Values{"grant_type": {"client_credentials"}, "audience": {p.Audience}, "scope": {p.Scope}}
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodPost, p.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret)) // RFC 6749 §2.3.1
	body, err := p.send(ask, http.StatusOK, "the broker")
	if err != nil {
		return err
	}
	var token struct {
		AccessToken string `json:"access_token"`
		Scope       string `json:"scope"`
	}
	if err := json.Unmarshal(body, &token); err != nil || token.AccessToken == "" {
		return errors.New("the broker's answer holds no token")
	}
	answer.Scope = token.Scope

	order := mustJSON(map[string]any{"item": p.Item, "pallets": p.Pallets})
	post, err := http.NewRequestWithContext(r.Context(), http.MethodPost, p.OrdersURL, bytes.NewReader(order))
	if err != nil {
		return err
	}
	post.Header.Set("Content-Type", "application/json")
	post.Header.Set("Authorization", "Bearer "+token.AccessToken)
	answer.Order, err = p.send(post, http.StatusCreated, "the warehouse")
	return err
}

// send returns the JSON body of an answer that has the wanted status.
func (p *Partner) send(r *http.Request, want int, whom string) ([]byte, error) {
	res, err := p.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be reached: %w", whom, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s stopped answering: %w", whom, err)
	}
	if res.StatusCode != want || !json.Valid(body) {
		return nil, fmt.Errorf("%s answered %d: %.300s", whom, res.StatusCode, body)
	}
	return body, nil
}

var partnerPage = template.Must(template.New("partner").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Name}} ({{.Notice}})</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
.fake{border:2px solid;padding:.5rem 1rem;font-weight:600}</style>
<h1>{{.Name}}</h1>
<p class="fake">{{.Notice}}. Nothing is ordered.</p>
<p><code>POST {{.Reorder}}</code> orders {{.Pallets}} pallets of {{.Item}}, as the client <code>{{.ClientID}}</code> of the broker
at <code>{{.TokenURL}}</code>.</p>
`))

func (p *Partner) home(w http.ResponseWriter) {
	var b bytes.Buffer
	err := partnerPage.Execute(&b, map[string]any{
		"Name": p.Name, "Notice": Notice, "Reorder": PathReorder, "ClientID": p.ClientID, "TokenURL": p.TokenURL,
		"Item": p.Item, "Pallets": p.Pallets,
	})
	if err != nil {
		http.Error(w, Notice, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(b.Bytes())
}
