package page

import (
	"bytes"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryMessageExistsInEveryLanguage(t *testing.T) {
	t.Parallel()
	CheckMessages(t, files, "page")
}

// messagesOf makes a folder whose languages all have the same messages.
func messagesOf(text string) fstest.MapFS {
	folder := fstest.MapFS{}
	for _, lang := range Languages {
		folder["messages/"+lang+".json"] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

func newRenderer(t *testing.T, o Options) (*Renderer, *bytes.Buffer) {
	t.Helper()
	var logged bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&logged, nil))
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r, &logged
}

func get(target string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func templateOf(text string) *Template {
	return MustTemplate(fstest.MapFS{"t.html": {Data: []byte(text)}}, "t.html")
}

func TestAPageHasItsHeadersAndNothingInline(t *testing.T) {
	t.Parallel()
	r, logged := newRenderer(t, Options{Brand: "HMart", Base: "/id", Contact: "help@hmart.example"})
	w := httptest.NewRecorder()
	r.Error(w, get("/id/x"), ErrorPage{Status: http.StatusBadGateway, Reference: "REF-1", BackURL: "/id/login"})
	if w.Code != http.StatusBadGateway {
		t.Errorf("status %d", w.Code)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
		"X-Content-Type-Options":  "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
		"Content-Type": "text/html; charset=utf-8", "Content-Language": "en", "Vary": "Accept-Language",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	body := w.Body.String()
	for _, want := range []string{"REF-1", `href="/id/login"`, `href="mailto:help@hmart.example"`, `<html lang="en">`, `href="#main"`, `<main id="main"`, `/id/assets/page.`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	checkNothingInline(t, body)
	if logged.Len() > 0 {
		t.Errorf("logged: %s", logged.String())
	}
}

func TestWhatIsMissingIsSaidToPeopleAndToPrograms(t *testing.T) {
	t.Parallel()
	r, _ := newRenderer(t, Options{})
	for accept, want := range map[string]string{"text/html,*/*;q=0.8": "There is no such page", "application/json": "404 page not found", "": "404 page not found"} {
		w := httptest.NewRecorder()
		r.Missing().ServeHTTP(w, get("/nothing", "Accept", accept))
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), want) {
			t.Errorf("Accept %q: %d %s", accept, w.Code, w.Body)
		}
		if got := strings.Join(w.Header().Values("Vary"), ", "); !strings.HasPrefix(got, "Accept") {
			t.Errorf("Accept %q: Vary is %q", accept, got)
		}
	}
}

// checkNothingInline says what the policy would not let run.
func checkNothingInline(t *testing.T, body string) {
	t.Helper()
	for _, no := range []string{"<style", " style=", "<script>", " onclick", " onload", "javascript:", " onerror"} {
		if strings.Contains(strings.ToLower(body), no) {
			t.Errorf("the page has %q", no)
		}
	}
}

func TestA112_WhatStrangersWriteIsTextOnEveryPage(t *testing.T) {
	t.Parallel()
	evil := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `</title><script>alert(1)</script>`, "javascript:alert(1)",
		`{{.Data}}`, "\u202egnp.exe", "a\x00b", "<!--", `]]>`,
	}
	tmpl := templateOf(`<p>{{T "x.named" .Name}}</p><p title="{{.Name}}">{{.Name}}</p><a href="{{.Name}}">x</a>{{with href .Name}}<a href="{{.}}">y</a>{{end}}{{with avatar .Name}}<b class="{{.Class}}">{{.Initials}}</b>{{end}}`)
	r, _ := newRenderer(t, Options{Messages: []fs.FS{messagesOf(`{"x.named": "Sign in to {0}"}`)}})
	for _, text := range append(evil, "Warehouse Portal") {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			r.Write(w, get("/"), Page{Template: tmpl, Title: "x.named", TitleArgs: []any{text}, Data: struct{ Name string }{text}})
			body := w.Body.String()
			if w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, body)
			}
			for _, no := range []string{"<script>", "<img src=x", "<svg", `href="javascript`, "<!--", "\u202egnp.exe</p><p title"} {
				if strings.Contains(body, no) {
					t.Errorf("the page has %q", no)
				}
			}
			if text == "Warehouse Portal" && !strings.Contains(body, "<title>Sign in to Warehouse Portal · Apostille</title>") {
				t.Errorf("a plain name is not shown: %s", body)
			}
		})
	}
}

func TestA112_APolicyTakesSourcesOnly(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		source string
		want   bool
	}{
		"an origin":                 {"https://app.example", true},
		"an origin with a port":     {"https://app.example:8443", true},
		"a scheme of a native app":  {"com.example.app:", true},
		"https as such":             {"https:", true},
		"a second directive":        {"https://a.example; script-src *", false},
		"a keyword":                 {"'unsafe-inline'", false},
		"a wildcard":                {"https://*.example", false},
		"a line break":              {"https://a.example\r\nX: y", false},
		"a name without scheme":     {"a.example", false},
		"a comma: a second policy":  {"https://a.example,default-src", false},
		"credentials in the origin": {"https://u:p@a.example", false},
		"nothing":                   {"", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			policy(h, Page{FormAction: []string{tc.source}, Frames: []string{tc.source}, Connect: true})
			got := h.Get("Content-Security-Policy")
			if tc.want && !strings.HasSuffix(got, "form-action 'self' "+tc.source+"; connect-src 'self'; frame-src "+tc.source) {
				t.Errorf("policy %q", got)
			}
			if !tc.want && !strings.HasSuffix(got, "form-action 'self'; connect-src 'self'; frame-src") {
				t.Errorf("policy %q", got)
			}
		})
	}
}

func TestA109_OnlyPathsOfThisHostAndWebAddressesAreLinks(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]bool{
		"/login?r=1": true, "/": true, "https://app.example/back?x=1": true, "http://app.localhost:8080/": true,
		"//evil.example": false, `/\evil.example`: false, `\\evil.example`: false, "http:evil.example": false, "https:///evil.example": false, "/\tevil": false,
		"/%09/evil": true, "\t//evil": false, "/a\r\nSet-Cookie: x": false, "javascript:alert(1)": false, "data:text/html,x": false, "evil.example": false,
		"https://u:p@evil.example": false, "": false, " /x": false, "vbscript:x": false,
	} {
		if got := Href(link); (got == link && link != "") != want {
			t.Errorf("Href(%q) = %q, want a link: %v", link, got, want)
		}
	}
}

func TestTheErrorPageDropsAWayBackThatLeadsElsewhere(t *testing.T) {
	t.Parallel()
	r, _ := newRenderer(t, Options{})
	for back, shown := range map[string]bool{"/login": true, "//evil.example": false, "javascript:alert(1)": false, "": false} {
		w := httptest.NewRecorder()
		r.Error(w, get("/"), ErrorPage{BackURL: back})
		if got := strings.Contains(w.Body.String(), `class="button primary"`); got != shown {
			t.Errorf("back to %q: shown %v", back, got)
		}
		if w.Code != http.StatusBadRequest {
			t.Errorf("status %d", w.Code)
		}
	}
}

func TestATemplateThatFailsIsNeverHalfAPage(t *testing.T) {
	t.Parallel()
	r, logged := newRenderer(t, Options{})
	w := httptest.NewRecorder()
	r.Write(w, get("/"), Page{Template: templateOf(`<p>begun {{.Missing}}`), Title: "page.error.title", Data: struct{ Secret string }{"s3cret"}})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "begun") {
		t.Errorf("%d %q", w.Code, w.Body.String())
	}
	if !strings.Contains(logged.String(), "a template failed") || strings.Contains(logged.String(), "s3cret") {
		t.Errorf("logged %q", logged.String())
	}
}

func TestTheOtherLanguagesAreOfferedWhereAPageWantsIt(t *testing.T) {
	t.Parallel()
	r, _ := newRenderer(t, Options{})
	tmpl := templateOf(`<p>x</p>`)
	write := func(req *http.Request, offer bool) string {
		w := httptest.NewRecorder()
		r.Write(w, req, Page{Template: tmpl, Title: "page.error.title", Languages: offer})
		return w.Body.String()
	}
	body := write(get("/login?r=a%26b&q=x"), true)
	if !strings.Contains(body, `href="?q=x&amp;r=a%26b&amp;ui_locales=de"`) || strings.Contains(body, "ui_locales=en") {
		t.Errorf("links: %s", body)
	}
	if strings.Contains(write(get("/x?code=s3cret"), false), "s3cret") {
		t.Error("a query is shown on a page that offers no languages")
	}
	if strings.Contains(write(httptest.NewRequest(http.MethodPost, "/login?r=1", nil), true), "ui_locales") {
		t.Error("links to a page that answered a POST")
	}
}
