package chooser

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"apostille/broker/page"
)

func TestEveryMessageOfThePickerExistsInEveryLanguage(t *testing.T) {
	t.Parallel()
	page.CheckMessages(t, Files, "chooser")
}

func TestThePickerWorksWithoutAScript(t *testing.T) {
	t.Parallel()
	x := NewIndex(manyOffices(8000))
	v := view(x.Rank(Query{Text: "university", Page: 2}))
	v.Text = "university"
	w := shown(t, v, "/login?r=x&q=university&page=2&ui_locales=en")
	body := w.Body.String()
	sealed := `<input type="hidden" name="r" value="` + v.Sealed + `">`
	if n := strings.Count(body, sealed); n != 2 {
		t.Errorf("the sealed request stands in %d forms, want search and choice", n)
	}
	for _, want := range []string{
		`<form class="field" method="get" action="/login" role="search" data-search="/login/search"`, `name="q" type="search" value="university"`,
		`<form class="stack" method="post" action="/login">`, `<button class="office" name="trust" value="`, `type="checkbox" name="remember" value="1" checked`,
		`role="status"`, `rel="prev"`, `rel="next"`, `href="/oauth2/authorize?cancel=1"`, "A cookie in this browser keeps which office", "My office is not listed", "mailto:help@west.hmart.example",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(body)
	u, err := url.Parse(html.UnescapeString(next[1]))
	if err != nil || u.Path != "/login" || u.Query().Get("r") != v.Sealed || u.Query().Get("q") != "university" || u.Query().Get("page") != "3" || u.Query().Get("ui_locales") != "en" {
		t.Errorf("next page: %v, %v", u, err)
	}
	if strings.Count(body, `name="trust"`) != DefaultPerPage {
		t.Errorf("%d offices", strings.Count(body, `name="trust"`))
	}
}

func TestThePickersPolicyLetsAChoiceReachTheOffice(t *testing.T) {
	t.Parallel()
	x := NewIndex(five)
	p := newPages(t)
	for name, tc := range map[string]struct {
		forms []string
		want  string
	}{
		"by default, any office over https": {nil, "form-action 'self' https:; connect-src 'self'"},
		"what the server was told":          {[]string{"https:", "http:"}, "form-action 'self' https: http:; connect-src 'self'"},
		"this host alone":                   {[]string{}, "form-action 'self'; connect-src 'self'"},
	} {
		q := *p
		q.FormAction = tc.forms
		w := httptest.NewRecorder()
		q.Write(w, httptest.NewRequest(http.MethodGet, "/login", nil), view(x.Rank(Query{})))
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, tc.want) || !strings.HasPrefix(got, "default-src 'none'") {
			t.Errorf("%s: %s", name, got)
		}
	}
	w := httptest.NewRecorder()
	p.Fragment(w, httptest.NewRequest(http.MethodGet, "/login/search", nil), view(x.Rank(Query{})))
	if got := w.Header().Get("Content-Security-Policy"); strings.Contains(got, "self") {
		t.Errorf("a fragment opened by itself may load: %s", got)
	}
}

func TestARememberedChoiceIsOfferedAndForgotten(t *testing.T) {
	t.Parallel()
	x := NewIndex(five)
	body := shown(t, view(x.Rank(Query{Remembered: []string{"west"}})), "/login").Body.String()
	for _, want := range []string{"Continue with Western Region", "Not you?", `<form method="post" action="/login/forget">`, "Forget this choice"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(body, "autofocus") {
		t.Error("the search takes the focus though it is not the page's purpose")
	}
	body = shown(t, view(x.Rank(Query{})), "/login").Body.String()
	if strings.Contains(body, "Continue with") || strings.Contains(body, "/login/forget") {
		t.Error("a choice that nobody made is offered")
	}
	if strings.Contains(body, `role="search"`) {
		t.Error("four offices have a search")
	}
	v := view(x.Rank(Query{}))
	v.Remember = false
	if strings.Contains(shown(t, v, "/login").Body.String(), "checkbox") {
		t.Error("a choice that cannot be remembered is")
	}
}

func TestThePersonIsToldWhatWasFound(t *testing.T) {
	t.Parallel()
	x := NewIndex(manyOffices(8000))
	for typed, want := range map[string]string{"": "8.000 Organisationen", "uzh": "1 Organisation", "qqqqq": "Keine Organisation gefunden"} {
		v := view(x.Rank(Query{Text: typed}))
		v.Text = typed
		for _, write := range []func(http.ResponseWriter, *http.Request, View){newPages(t).Write, newPages(t).Fragment} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/login", nil)
			r.Header.Set("Accept-Language", "de")
			write(w, r, v)
			if !strings.Contains(w.Body.String(), `data-count="`+want+`"`) {
				t.Errorf("%q: %s is not announced", typed, want)
			}
		}
	}
	many := view(NewIndex(five).Rank(Query{LoginHint: "jo@hmart.example"}))
	body := shown(t, many, "/login").Body.String()
	if !strings.Contains(body, "@hmart.example") || !strings.Contains(body, "Show all offices") || !strings.Contains(body, "q=%2a&amp;r=") && !strings.Contains(body, "q=%2A&amp;r=") {
		t.Errorf("no way out of what an address narrowed: %s", body)
	}
}

func TestA112_NamesAndSearchesStayText(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' autofocus onfocus=alert(1) x='`, `</button><form action=https://evil.example>`,
		`javascript:alert(1)`, `{{.Sealed}}`, `"><base href=//evil.example>`, "\u202eelpmaxe.live", "&quot;><script>", "\xff<script>",
	} {
		t.Run(evil, func(t *testing.T) {
			t.Parallel()
			x := NewIndex([]Office{{ID: evil, Name: evil, Domains: []string{evil}, Keywords: []string{evil}, Logo: evil}, {ID: "b", Name: "B"}})
			v := view(x.Rank(Query{Remembered: []string{evil}, Select: true}))
			v.Text, v.ClientName, v.Sealed, v.CancelURL, v.Locales = evil, evil, evil, evil, []string{evil}
			p := newPages(t)
			for _, write := range []func(http.ResponseWriter, *http.Request, View){p.Write, p.Fragment} {
				w := httptest.NewRecorder()
				write(w, httptest.NewRequest(http.MethodGet, "/login?q="+url.QueryEscape(evil)+"&ui_locales="+url.QueryEscape(evil), nil), v)
				body := w.Body.String()
				if w.Code != http.StatusOK {
					t.Fatalf("status %d", w.Code)
				}
				for _, no := range []string{"<script>", "<img src=x", "<base", "<form action=https", "' onfocus", `" autofocus onfocus`, "\u202eelpmaxe.live</span>", `href="javascript`} {
					if strings.Contains(body, no) {
						t.Errorf("the page has %q", no)
					}
				}
			}
		})
	}
}

func TestThePageIsSmall(t *testing.T) {
	t.Parallel()
	x := NewIndex(manyOffices(8000))
	body := shown(t, view(x.Rank(Query{})), "/login").Body.Len()
	all := body
	for _, name := range []string{"assets/picker.js", "../page/assets/page.css", "../page/assets/mark.svg"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += len(text)
		if name == "assets/picker.js" && len(text) > 5<<10 {
			t.Errorf("the script has %d bytes", len(text))
		}
	}
	if all > 30<<10 {
		t.Errorf("the page has %d bytes, with its assets %d, want at most 30 KB", body, all)
	}
}
