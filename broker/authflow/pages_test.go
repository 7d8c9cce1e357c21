package authflow

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"apostille/broker/page"
)

func TestEachFailureIsAReadablePage(t *testing.T) {
	t.Parallel()
	renderer, err := page.New(page.Options{Base: "/broker", Messages: []fs.FS{Messages}})
	if err != nil {
		t.Fatal(err)
	}
	pages := &FailurePages{Writer: renderer}
	for _, kind := range Kinds {
		for _, lang := range page.Languages {
			r := httptest.NewRequest(http.MethodGet, "https://id.example/broker/login", nil)
			r.Header.Set("Accept-Language", lang)
			w := httptest.NewRecorder()
			pages.Failure(w, r, Failure{Kind: kind, Status: kind.status(), Reference: "ref-1", Office: "Büro <Köln>", Application: "Lager & Co"})
			body := w.Body.String()
			if w.Code != kind.status() || strings.Contains(body, "authflow.") || strings.Contains(body, "{0}") || strings.Contains(body, "{1}") ||
				strings.Contains(body, "<Köln>") || !strings.Contains(body, "ref-1") || w.Header().Get("Content-Language") != lang {
				t.Errorf("%s in %s: %d\n%s", kind, lang, w.Code, body)
			}
			if kind == Down && !strings.Contains(body, "Büro &lt;Köln&gt;") {
				t.Errorf("the office is not named in %s", lang)
			}
		}
	}
}

func TestThePageOfAFailureShowsItsWaysOn(t *testing.T) {
	t.Parallel()
	renderer, err := page.New(page.Options{Base: "/broker", Messages: []fs.FS{Messages}})
	if err != nil {
		t.Fatal(err)
	}
	show := func(f Failure, offices ...string) (body, csp string) {
		w := httptest.NewRecorder()
		(&FailurePages{Writer: renderer, FormAction: offices}).Failure(w, httptest.NewRequest(http.MethodGet, "https://id.example/", nil), f)
		return w.Body.String(), w.Header().Get("Content-Security-Policy")
	}
	all := Failure{
		Kind: Failed, Status: 502, Retry: &Retry{Action: "/broker/login", Sealed: "SEALED", Trust: "hq"}, Picker: "/broker/login?r=x",
		Again: "/broker/oauth2/authorize?a=b&c=d", Cancel: "javascript:alert(1)",
	}
	body, csp := show(all, "https:")
	for _, want := range []string{
		`action="/broker/login"`, `value="SEALED"`, `value="hq"`, `href="/broker/login?r=x"`, `href="/broker/oauth2/authorize?a=b&amp;c=d"`,
		"your office",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in\n%s", want, body)
		}
	}
	if strings.Contains(body, "javascript:") || !strings.Contains(csp, "form-action 'self' https:") || strings.Contains(csp, "http:;") {
		t.Errorf("policy %s\n%s", csp, body)
	}
	if _, csp = show(all, "https:", "http:"); !strings.Contains(csp, "http:") {
		t.Errorf("policy in dev: %s", csp)
	}
	body, csp = show(Failure{Kind: Over, Status: 400}, "https:")
	if strings.Contains(body, "<form") || strings.Contains(body, "button") || strings.Contains(csp, "https:") {
		t.Errorf("without ways on: %s\n%s", csp, body)
	}
}
