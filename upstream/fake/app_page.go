package fake

import (
	"bytes"
	"html/template"
	"net/http"
	"time"
)

var appPage = template.Must(template.New("app").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Name}} ({{.Notice}})</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
.fake{border:2px solid;padding:.5rem 1rem;font-weight:600}form{display:inline}button,.go{font:inherit;padding:.4rem .9rem;margin:.2rem .4rem .2rem 0}
td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}td{overflow-wrap:anywhere}</style>
<h1>{{.Name}}</h1>
<p class="fake">{{.Notice}}.</p>
{{if .Error}}<p role="alert">It did not work: {{.Error}}</p><p><a href="/">Back</a></p>
{{else if .Subject}}<p>Signed in as <strong id="who">{{.Who}}</strong>{{if .Expires}}; access until {{.Expires}}{{end}}.</p>
<table>{{range .Claims}}<tr><th scope="row">{{.Name}}</th><td>{{.Value}}</td></tr>{{end}}</table>
{{if .HasStock}}<form method="post" action="/stock"><button>Ask the warehouse for stock</button></form>{{end}}
<form method="post" action="/logout"><button>Sign out</button></form>
{{if .Stock}}<p>The warehouse says: <code id="stock">{{.Stock}}</code></p>{{end}}
{{else}}<p>Nobody is signed in.</p><p><a class="go" href="/login">Sign in</a></p>{{end}}
`))

type appClaim struct {
	Name  string
	Value any
}

func (a *App) home(w http.ResponseWriter, r *http.Request) error {
	v := a.meet(w, r)
	a.mu.Lock()
	data := map[string]any{"Name": a.Name, "Notice": Notice, "Subject": v.subject, "Stock": v.stock, "HasStock": a.StockURL != ""}
	data["Who"] = v.subject
	if name, ok := v.claims["name"].(string); ok {
		data["Who"] = name
	}
	var claims []appClaim
	for _, name := range []string{"sub", "email", "acr", "auth_time", "sid"} {
		if value, ok := v.claims[name]; ok {
			if seconds, ok := value.(float64); ok {
				value = time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
			}
			claims = append(claims, appClaim{name, value})
		}
	}
	data["Claims"] = claims
	if v.token != nil {
		data["Expires"] = v.token.Expiry.UTC().Format(time.TimeOnly) + " UTC"
	}
	a.mu.Unlock()
	return a.write(w, http.StatusOK, data)
}

func (a *App) failed(w http.ResponseWriter, err error) {
	if err := a.write(w, http.StatusBadGateway, map[string]any{"Name": a.Name, "Notice": Notice, "Error": err.Error()}); err != nil {
		http.Error(w, Notice, http.StatusInternalServerError)
	}
}

func (a *App) write(w http.ResponseWriter, status int, data any) error {
	var b bytes.Buffer
	if err := appPage.Execute(&b, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the caller has gone
	return nil
}
