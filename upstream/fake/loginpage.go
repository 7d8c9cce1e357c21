package fake

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const pageStyle = `:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem}
.fake{border:2px solid;padding:.5rem 1rem;font-weight:600}ul{list-style:none;padding:0}
button{font:inherit;width:100%;text-align:left;padding:.6rem 1rem;margin:.3rem 0;cursor:pointer}`

// submitScript posts the only form of a page.
const submitScript = `document.forms[0].submit()`

var pages = template.Must(template.New("").Parse(`
{{define "top"}}<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Title}} ({{.Notice}})</title>
<style>{{.Style}}</style>
<main><h1>{{.Title}}</h1>
<p class="fake">{{.Notice}}</p>{{end}}

{{define "login"}}{{template "top" .}}
<p>Who are you? Nobody is asked for a password here.</p>
<form method="post" action="{{.Action}}">
<ul>{{range .People}}<li><button name="person" value="{{.Username}}">{{.Name}}, {{.Department}}</button></li>
{{end}}<li><button name="person" value="">Cancel</button></li></ul>
</form></main></html>
{{end}}

{{define "post"}}{{template "top" .}}
<form method="post" action="{{.Action}}">
{{range $name, $values := .Fields}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">
{{end}}{{end}}<button>Continue</button></form></main><script>{{.Script}}</script></html>
{{end}}

{{define "message"}}{{template "top" .}}<p>{{.Text}}</p></main></html>{{end}}
`))

func writePage(w http.ResponseWriter, status int, name string, data map[string]any) {
	data["Notice"], data["Style"] = Notice, template.CSS(pageStyle)
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, Notice, http.StatusInternalServerError)
		return
	}
	digest := sha256.Sum256([]byte(submitScript))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; script-src 'sha256-"+
		base64.StdEncoding.EncodeToString(digest[:])+"'")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// loginPage shows a button per person, the one that was hinted at first. It posts to the URL it stands at.
func (p *Provider) loginPage(w http.ResponseWriter, r *http.Request, ask request) {
	people := slices.Clone(p.o.People)
	slices.SortStableFunc(people, func(a, b Person) int { return rank(b, ask.hint) - rank(a, ask.hint) })
	writePage(w, http.StatusOK, "login", map[string]any{
		"Title": "Sign in at " + p.o.Name, "Action": p.o.Issuer + PathAuthorize + "?" + resend(r), "People": people})
}

// resend is the request once more, however it came.
func resend(r *http.Request) string {
	q := url.Values{}
	for name, v := range r.Form {
		if name != "person" {
			q[name] = v
		}
	}
	return q.Encode()
}

func rank(h Person, hint string) int {
	if hint != "" && (strings.EqualFold(hint, h.Email) || strings.EqualFold(hint, h.Username)) {
		return 1
	}
	return 0
}

// formPost is OAuth 2.0 Form Post Response Mode §2.
func (p *Provider) formPost(w http.ResponseWriter, to string, params url.Values) {
	writePage(w, http.StatusOK, "post", map[string]any{
		"Title": "Signing in", "Action": to, "Fields": params, "Script": template.JS(submitScript)})
}

func (p *Provider) refusePage(w http.ResponseWriter, text string) {
	writePage(w, http.StatusBadRequest, "message", map[string]any{"Title": "That did not work", "Text": text})
}
