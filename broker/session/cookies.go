package session

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"
)

// Cookies is the one cookie policy: HttpOnly, SameSite=Lax, Path=/, no Domain, and over https Secure with the prefix __Host-, which
// makes a browser refuse a cookie of that name from a sibling host or over http (RFC 6265bis §4.1.3.2).
type Cookies struct {
	// Secure is whether our issuer is https. Without it, for a developer's machine, cookies have neither prefix nor Secure.
	Secure bool
}

// Name returns the name that a cookie has on the wire.
func (c Cookies) Name(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// Set sets a cookie for maxAge, rounded up to seconds; 0 or less = until the browser closes. value must consist of cookie octets
// (RFC 6265 §4.1.1). An earlier Set of the same name in this answer is replaced.
func (c Cookies) Set(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	seconds := 0
	if maxAge > 0 {
		seconds = int((maxAge + time.Second - 1) / time.Second)
	}
	c.write(w, sessions.NewCookie(c.Name(name), value, c.options(seconds)))
}

// Clear removes a cookie from the browser.
func (c Cookies) Clear(w http.ResponseWriter, name string) {
	c.write(w, sessions.NewCookie(c.Name(name), "", c.options(-1)))
}

// Get returns a cookie's value; "" if there is none. Two cookies of one name are none: one of them was tossed in from elsewhere, and
// nothing says which (THREATS A110).
func (c Cookies) Get(r *http.Request, name string) string {
	found := r.CookiesNamed(c.Name(name))
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// options are all of gorilla's, set: its defaults are for other programs (THREATS L29).
func (c Cookies) options(maxAge int) *sessions.Options {
	return &sessions.Options{Path: "/", MaxAge: maxAge, Secure: c.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// write adds the Set-Cookie line, and takes out an earlier one of that name (RFC 6265 §4.1.1: one per name).
func (c Cookies) write(w http.ResponseWriter, cookie *http.Cookie) {
	if cookie.MaxAge > 0 {
		cookie.Expires = time.Time{} // Max-Age counts, and does not depend on two clocks
	}
	h := w.Header()
	lines := slices.DeleteFunc(h.Values("Set-Cookie"), func(line string) bool {
		return strings.HasPrefix(line, cookie.Name+"=")
	})
	h["Set-Cookie"] = append(lines, cookie.String())
	h.Set("Cache-Control", "no-store") // an answer to one browser is nobody else's (RFC 9111 §7.3)
}
