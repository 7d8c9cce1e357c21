package fake_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/upstream/fake"
)

// sites serves two sites at one address: a.localhost and b.localhost.
func sites(t *testing.T) (a, b string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/set", func(w http.ResponseWriter, r *http.Request) {
		for _, line := range r.URL.Query()["c"] {
			w.Header().Add("Set-Cookie", line)
		}
	})
	mux.HandleFunc("/show", func(w http.ResponseWriter, r *http.Request) {
		var names []string
		for _, c := range r.Cookies() {
			names = append(names, c.Name)
		}
		slices.Sort(names)
		fmt.Fprint(w, strings.Join(names, " "))
	})
	mux.HandleFunc("/go", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusSeeOther)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<form id="f" method="post" action="%s"><input type=hidden name="a" value="1 &amp; 2"><input type="checkbox" name="no">
<input type="checkbox" name="yes" checked><select name="s"><option value="x">X<option value="y" selected>Y</select><textarea name="t">long</textarea>
<input name="off" disabled><button name="go" value="1">Go</button></form><form action="/show"></form>`, r.URL.Query().Get("to"))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	return "http://a.localhost:" + port, "http://b.localhost:" + port
}

func open(t *testing.T, b *fake.Browser, rawURL string) *fake.Page {
	t.Helper()
	page, err := b.Open(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestABrowserWithholdsCookiesFromOtherSites(t *testing.T) {
	t.Parallel()
	a, b := sites(t)
	browser := fake.NewBrowser(nil)
	set := url.Values{"c": {"lax=1; SameSite=Lax", "strict=1; SameSite=Strict", "plain=1", "none=1; SameSite=None", "secure=1; Secure", "__Host-x=1; Path=/; Secure",
		"elsewhere=1; Path=/other", "gone=1; Max-Age=0", "late=1; Max-Age=60"}}
	open(t, browser, a+"/set?"+set.Encode())
	at := open(t, browser, b+"/form?to="+url.QueryEscape(a+"/show"))
	show := func(page *fake.Page, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return page.Body
	}
	form, ok := at.Form("go")
	if !ok {
		t.Fatal("no form")
	}
	for name, tc := range map[string]struct{ got, want string }{
		"typed":                               {show(browser.Open(a + "/show")), "late lax plain strict"},
		"a link from the other site":          {show(browser.Follow(at, a+"/show")), "late lax plain"},
		"a link that comes back by redirects": {show(browser.Follow(at, b+"/go?to="+url.QueryEscape(a+"/show"))), "late lax plain"},
		"a form from the other site":          {show(browser.Send(at, form, nil)), ""},
		"a form whose answer is a redirect":   {show(browser.Send(at, fake.Form{Action: a + "/go?to=/show", Method: "POST"}, nil)), "late lax plain"},
		"a form of its own":                   {show(browser.Send(open(t, browser, a+"/show"), form, nil)), "late lax plain strict"},
		"the other site":                      {show(browser.Open(b + "/show")), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", name, tc.got, tc.want)
		}
	}
	browser.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	if got := open(t, browser, a+"/show").Body; got != "lax plain strict" {
		t.Errorf("later: %q", got)
	}
	if n := len(browser.Cookies("a.localhost")); n != 5 {
		t.Errorf("%d cookies kept", n)
	}
	browser.Forget("a.localhost")
	if got := open(t, browser, a+"/show").Body; got != "" {
		t.Errorf("forgotten: %q", got)
	}
}

func TestABrowserReadsForms(t *testing.T) {
	t.Parallel()
	a, _ := sites(t)
	browser := fake.NewBrowser(nil)
	page := open(t, browser, a+"/form?to=/show")
	forms := page.Forms()
	if len(forms) != 2 || forms[0].ID != "f" || forms[0].Method != "POST" || forms[1].Method != "GET" || forms[0].Action != "/show" {
		t.Fatalf("%+v", forms)
	}
	want := url.Values{"a": {"1 & 2"}, "yes": {"on"}, "s": {"y"}, "t": {"long"}}
	if forms[0].Fields.Encode() != want.Encode() || len(forms[0].Buttons) != 1 || forms[0].Buttons[0] != (fake.Button{Name: "go", Value: "1", Text: "Go"}) {
		t.Errorf("%+v", forms[0])
	}
	if _, ok := page.Form("nothing"); ok {
		t.Error("found a form that is not there")
	}
	if _, err := browser.Open(a + "/loop"); err == nil {
		t.Error("follows redirects without end")
	}
	if _, err := browser.SignIn(page, "alice"); err == nil {
		t.Error("signs in where nobody can")
	}
}
