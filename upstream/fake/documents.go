package fake

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"

	"apostille/trust/jose"
)

// discovery is the OpenID Connect discovery document; it names only what is there.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request, f Faults) {
	issuer := p.o.Issuer
	if f.WrongIssuer != "" {
		issuer = f.WrongIssuer
	}
	doc := map[string]any{
		"fake":                                  Notice,
		"issuer":                                issuer,
		"jwks_uri":                              p.o.Issuer + PathJWKS,
		"authorization_endpoint":                p.o.Issuer + PathAuthorize,
		"token_endpoint":                        p.o.Issuer + PathToken,
		"userinfo_endpoint":                     p.o.Issuer + PathUserInfo,
		"end_session_endpoint":                  p.o.Issuer + PathEndSession,
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "client_credentials"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query", "form_post"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"acr_values_supported":                  knownACRs,
		"code_challenge_methods_supported":      []string{"S256"},
		"prompt_values_supported":               []string{"none", "login", "consent", "select_account"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []jose.Alg{p.o.Alg},
		"backchannel_logout_supported":          true,
		"backchannel_logout_session_supported":  true,

		"authorization_response_iss_parameter_supported": !p.o.NoIss,
	}
	if p.o.PAR || p.o.RequirePAR {
		doc["pushed_authorization_request_endpoint"] = p.o.Issuer + PathPAR
		doc["require_pushed_authorization_requests"] = p.o.RequirePAR
	}
	f.writeJSON(w, mustJSON(over(doc, f.Discovery)))
}

// jwks is the published key set. RFC 7517 §5: readers ignore the member they do not know.
func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request, f Faults) {
	doc := struct {
		Fake string            `json:"fake"`
		Keys []json.RawMessage `json:"keys"`
	}{Notice, []json.RawMessage{}}
	if !f.EmptyKeys {
		if err := json.Unmarshal(p.JWKS(), &doc); err != nil {
			panic("fake: " + err.Error())
		}
	}
	f.writeJSON(w, mustJSON(doc))
}

var homePage = template.Must(template.New("home").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Name}} ({{.Notice}})</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
.fake{border:2px solid;padding:.5rem 1rem;font-weight:600}td,th{text-align:left;padding:.2rem .8rem .2rem 0}</style>
<h1>{{.Name}}</h1>
<p class="fake">{{.Notice}}. Anyone can get its tokens: the secrets below are public.</p>
<p>Issuer <code>{{.Issuer}}</code>: <a href="{{.Issuer}}{{.Discovery}}">discovery</a>, <a href="{{.Issuer}}{{.JWKS}}">keys</a>,
client credentials at <code>{{.Issuer}}{{.Token}}</code>.</p>
<table><tr><th>client<th>secret<th>scopes</tr>
{{range .Accounts}}<tr><td><code>{{.ClientID}}</code><td><code>{{.Secret}}</code><td>{{range .Scopes}}<code>{{.}}</code> {{end}}</tr>
{{end}}</table>
<p>These people sign in with a click: {{range $i, $h := .People}}{{if $i}}, {{end}}{{$h.Name}} ({{$h.Department}}){{end}}.</p>
`))

func (p *Provider) home(w http.ResponseWriter, _ *http.Request, _ Faults) {
	var b bytes.Buffer
	err := homePage.Execute(&b, map[string]any{
		"Name": p.o.Name, "Notice": Notice, "Issuer": p.o.Issuer, "Accounts": p.o.Accounts, "People": p.o.People,
		"Discovery": PathDiscovery, "JWKS": PathJWKS, "Token": PathToken,
	})
	if err != nil {
		http.Error(w, Notice, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(b.Bytes())
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("fake: " + err.Error())
	}
	return b
}
