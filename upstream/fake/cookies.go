package fake

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// addCookies adds the cookies that a browser would send on this visit.
func (b *Browser) addCookies(r *http.Request, v visit) {
	cross := v.from != nil && !sameSite(v.from, v.to)
	for _, c := range b.jar[v.to.Hostname()] {
		switch {
		case !c.Expires.IsZero() && !b.Now().Before(c.Expires):
		case c.Secure && v.to.Scheme != "https":
		case !pathMatch(c.Path, v.to.Path):
		case cross && c.SameSite == http.SameSiteStrictMode:
		// A cookie that says nothing is Lax. Lax is for safe top-level navigations (draft-ietf-httpbis-rfc6265bis §5.8.3).
		case cross && c.SameSite != http.SameSiteNoneMode && r.Method != http.MethodGet:
		default:
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
}

// sameSite is stricter than a browser: hosts of one registrable domain are two sites here.
func sameSite(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Hostname() == b.Hostname() }

func pathMatch(cookie, request string) bool {
	return cookie == request || strings.HasPrefix(request, cookie) && (strings.HasSuffix(cookie, "/") || request[len(cookie)] == '/')
}

// keepCookies stores cookies as those of the host alone, whatever Domain they name.
func (b *Browser) keepCookies(u *url.URL, set []*http.Cookie) {
	host := u.Hostname()
	for _, c := range set {
		if refusedCookie(u, c) {
			continue
		}
		if c.Path == "" || c.Path[0] != '/' {
			c.Path = "/"
		}
		if c.MaxAge > 0 {
			c.Expires = b.Now().Add(time.Duration(c.MaxAge) * time.Second)
		}
		b.jar[host] = slices.DeleteFunc(b.jar[host], func(o *http.Cookie) bool { return o.Name == c.Name && o.Path == c.Path })
		if c.MaxAge >= 0 && (c.Expires.IsZero() || b.Now().Before(c.Expires)) {
			b.jar[host] = append(b.jar[host], c)
		}
	}
}

// refusedCookie says what browsers drop: Secure over http, SameSite=None without Secure, and a __Host- or __Secure- name whose promise
// is not kept.
func refusedCookie(u *url.URL, c *http.Cookie) bool {
	switch {
	case c.Secure && u.Scheme != "https", c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return true
	case strings.HasPrefix(c.Name, "__Host-"):
		return !c.Secure || c.Path != "/" || c.Domain != ""
	case strings.HasPrefix(c.Name, "__Secure-"):
		return !c.Secure
	}
	return false
}

// Cookies lists the cookies kept of a host, with the attributes they were set with.
func (b *Browser) Cookies(host string) []*http.Cookie { return slices.Clone(b.jar[host]) }

// Forget drops the cookies of a host.
func (b *Browser) Forget(host string) { delete(b.jar, host) }
