package session

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"
)

// TestL29_EachSetCookieLine is golden: each attribute of each cookie, over https and on a developer's machine.
func TestL29_EachSetCookieLine(t *testing.T) {
	t.Parallel()
	https, dev := newFixture(t, true), newFixture(t, false)
	for name, c := range map[string]struct {
		do   func(w http.ResponseWriter, r *http.Request)
		want string
	}{
		"a session": {func(w http.ResponseWriter, r *http.Request) { https.SignIn(w, r, https.login("hq", "ada")) },
			`^__Host-apostille=[\w-]{43}; Path=/; HttpOnly; Secure; SameSite=Lax$`},
		"a session's end": {func(w http.ResponseWriter, r *http.Request) { https.End(w, r) },
			`^__Host-apostille=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax$`},
		"the browser": {func(w http.ResponseWriter, r *http.Request) { https.Browser(w, r) },
			`^__Host-apostille_browser_[\w-]{6}=[\w-]{43}; Path=/; HttpOnly; Secure; SameSite=Lax$`},
		"one that lasts": {func(w http.ResponseWriter, _ *http.Request) { https.Cookies.Set(w, "x", "y", 90*time.Second) },
			`^__Host-x=y; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax$`},
		"one that lasts less than a second": {func(w http.ResponseWriter, _ *http.Request) { https.Cookies.Set(w, "x", "y", time.Millisecond) },
			`^__Host-x=y; Path=/; Max-Age=1; HttpOnly; Secure; SameSite=Lax$`},
		"a session in dev": {func(w http.ResponseWriter, r *http.Request) { dev.SignIn(w, r, dev.login("hq", "ada")) },
			`^apostille=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax$`},
		"a session's end in dev": {func(w http.ResponseWriter, r *http.Request) { dev.End(w, r) },
			`^apostille=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax$`},
		"the browser in dev": {func(w http.ResponseWriter, r *http.Request) { dev.Browser(w, r) },
			`^apostille_browser_[\w-]{6}=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax$`},
	} {
		w := httptest.NewRecorder()
		c.do(w, browser{}.request())
		lines := w.Header().Values("Set-Cookie")
		if len(lines) != 1 || !regexp.MustCompile(c.want).MatchString(lines[0]) {
			t.Errorf("%s:\n got %q\nwant %s", name, lines, c.want)
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: a cache may keep the answer", name)
		}
	}
}

func TestACookieIsSetOnceInAnAnswer(t *testing.T) {
	t.Parallel()
	c, w := Cookies{Secure: true}, httptest.NewRecorder()
	c.Set(w, "a", "1", 0)
	c.Set(w, "ab", "2", 0)
	c.Set(w, "a", "3", 0)
	lines := w.Header().Values("Set-Cookie")
	if len(lines) != 2 || lines[0][:12] != "__Host-ab=2;" || lines[1][:11] != "__Host-a=3;" {
		t.Errorf("%q", lines)
	}
}

func TestA110_TwoCookiesOfOneNameAreNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	b := browser{}
	mine := f.signIn(t, b, f.login("hq", "ada"))
	w := httptest.NewRecorder()
	id := f.Browser(w, b.request())
	b.take(w)

	r := b.request()
	if s, _ := f.Current(r); s == nil || s.ID != mine.ID || !f.SameBrowser(r, id) {
		t.Fatal("one cookie of each name is not taken")
	}
	for name, value := range b {
		r := b.request()
		r.AddCookie(&http.Cookie{Name: name, Value: value})
		s, err := f.Current(r)
		if gone := s == nil && err == nil; gone != (name == "__Host-apostille") {
			t.Errorf("two of %s: session %v, error %v", name, s, err)
		}
		if gone := !f.SameBrowser(r, id); gone != (name != "__Host-apostille") {
			t.Errorf("two of %s: the same browser is %v", name, !gone)
		}
	}
}

func TestADevelopersCookieIsNoneOverHTTPS(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	b := browser{}
	f.signIn(t, b, f.login("hq", "ada"))
	if s := f.current(t, browser{"apostille": b["__Host-apostille"]}); s != nil {
		t.Error("a cookie without prefix, which a sibling host can set, is taken")
	}
}
